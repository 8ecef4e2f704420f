package import VDSQFormat
package import VDSQStreams

/// The records of comma-separated text (RFC 4180) or of tab-separated text. The first record names
/// the fields.
///
/// In comma-separated text a field in quotes may contain separators, line ends, and quotes written
/// twice. In tab-separated text quotes mean nothing, as in most corpora: a text may begin with one.
/// Lines end with LF, CRLF or CR; blank lines are skipped.
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

  /// - Throws: `badInput`, naming the line, if a quote does not end, or something other than a
  ///   separator follows one; if a record does not have as many fields as the first, or a field is
  ///   not UTF-8; and if there is no record at all.
  package init(commaSeparated file: TextFile) throws(VDSQError) {
    try self.init(file, separator: UInt8(ascii: ","), hasQuotes: true)
  }

  /// - Throws: as above.
  package init(tabSeparated file: TextFile) throws(VDSQError) {
    try self.init(file, separator: UInt8(ascii: "\t"), hasQuotes: false)
  }

  private init(_ file: TextFile, separator: UInt8, hasQuotes: Bool) throws(VDSQError) {
    let (bytes, path) = (file.bytes, file.path)
    var field: [UInt8] = []
    var fields: [String] = []
    var all: [Record] = []
    var line = 1
    var start = 1
    var position = 0
    var isQuoted = false
    /// Whether a quoted field has ended, and its separator is due.
    var isClosed = false
    func endField() throws(VDSQError) {
      guard let text = String(validating: field, as: UTF8.self) else {
        throw .badInput("\(path): line \(start): not UTF-8")
      }
      fields.append(text)
      field.removeAll(keepingCapacity: true)
      isClosed = false
    }
    func endRecord() throws(VDSQError) {
      try endField()
      if fields.count > 1 || !TextFile.isBlank(fields[0].utf8) {
        all.append(Record(line: start, fields: fields))
      }
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
            isClosed = true
          }
        } else {
          if byte == 10 { line += 1 }
          field.append(byte)
        }
      } else if hasQuotes, byte == UInt8(ascii: "\""), field.isEmpty, !isClosed {
        isQuoted = true
      } else if byte == separator {
        try endField()
      } else if byte == 10 {
        if field.last == 13, !isClosed { field.removeLast() }
        try endRecord()
        line += 1
        start = line
      } else if isClosed {
        guard byte == 13, position == bytes.count || bytes[position] == 10 else {
          throw .badInput("\(path): line \(line): something follows a closing quote")
        }
      } else {
        field.append(byte)
      }
    }
    guard !isQuoted else { throw .badInput("\(path): line \(start): a quote does not end") }
    if !field.isEmpty || !fields.isEmpty || isClosed { try endRecord() }
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
