import VDSQFormat

/// Records of comma- or tab-separated text (RFC 4180): fields in quotes may hold separators, line ends, and
/// quotes twice. The first record names the fields.
struct DelimitedText {
  private(set) var names: [String] = []
  /// The records behind the first, with the numbers of the lines that they begin in.
  private(set) var records: [(line: Int, fields: [String])] = []

  /// - Throws: `badInput` where a quote does not end, a record has another number of fields than the first, or a
  ///   field is not UTF-8.
  init(_ bytes: [UInt8], separator: UInt8, path: String) throws(VDSQError) {
    var field: [UInt8] = []
    var fields: [String] = []
    var all: [(line: Int, fields: [String])] = []
    var line = 1
    var start = 1
    var position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var isQuoted = false
    func endField() throws(VDSQError) {
      guard let text = String(validating: field, as: UTF8.self) else {
        throw .badInput("\(path): line \(start): not UTF-8")
      }
      fields.append(text)
      field.removeAll(keepingCapacity: true)
    }
    func endRecord() throws(VDSQError) {
      try endField()
      if fields != [""] { all.append((start, fields)) }
      fields = []
    }
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if isQuoted {
        if byte == UInt8(ascii: "\"") {
          if position < bytes.count, bytes[position] == byte {
            field.append(byte)
            position += 1
          } else {
            isQuoted = false
          }
        } else {
          if byte == 10 { line += 1 }
          field.append(byte)
        }
      } else if byte == UInt8(ascii: "\""), field.isEmpty {
        isQuoted = true
      } else if byte == separator {
        try endField()
      } else if byte == 10 {
        if field.last == 13 { field.removeLast() }
        try endRecord()
        line += 1
        start = line
      } else {
        field.append(byte)
      }
    }
    guard !isQuoted else { throw .badInput("\(path): line \(start): a quote does not end") }
    if !field.isEmpty || !fields.isEmpty { try endRecord() }
    guard let first = all.first else { throw .badInput("\(path): the file is empty") }
    for record in all where record.fields.count != first.fields.count {
      throw .badInput(
        "\(path): line \(record.line): \(record.fields.count) fields, but the first line names "
          + "\(first.fields.count)")
    }
    names = first.fields
    records = Array(all.dropFirst())
  }
}
