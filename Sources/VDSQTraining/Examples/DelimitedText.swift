package import VDSQFormat

/// The records of comma-separated or tab-separated text (RFC 4180). The first record names the
/// fields.
///
/// A field in quotes may contain separators, line ends, and quotes written twice. Lines end with LF
/// or CRLF. A byte order mark at the beginning and blank lines are skipped.
package struct DelimitedText: Sendable {
  /// A record and where it is.
  package struct Record: Sendable {
    /// The number of the line in which the record begins, counted from 1.
    package let line: Int
    /// As many as `DelimitedText.names`.
    package let fields: [String]
  }

  /// The fields of the first record.
  package let names: [String]
  /// The records after the first.
  package let records: [Record]

  /// - Parameters:
  ///   - separator: the byte between two fields.
  ///   - path: the file, for error messages.
  /// - Throws: `badInput`, naming the line, if a quote does not end, a record does not have as many
  ///   fields as the first, or a field is not UTF-8; and if there is no record at all.
  package init(_ bytes: [UInt8], separator: UInt8, path: String) throws(VDSQError) {
    var field: [UInt8] = []
    var fields: [String] = []
    var all: [Record] = []
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
      if fields != [""] { all.append(Record(line: start, fields: fields)) }
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
