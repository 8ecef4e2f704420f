public import VDSQFormat
package import VDSQStreams

/// Reads the texts without labels that a language model's scores are compared with.
public enum ReferenceTexts {
  /// The maximum number of texts; of longer files, texts are taken evenly. The mean state of a
  /// thousand texts is as good as that of more.
  package static let most = 1000

  /// Reads a file of one text per line, or of JSON Lines if its name ends in `.jsonl`. Blank texts
  /// are left out.
  ///
  /// - Parameter field: the field of the text in JSON Lines; with dots, one inside others.
  /// - Throws: `missingInput` if the file cannot be read; `badInput`, naming the line, if a record
  ///   has no text, or if there is no text at all.
  public static func read(_ path: String, field: String = "text") throws(VDSQError) -> [String] {
    try read(path, field: field, atMost: most)
  }

  /// - Parameter limit: the maximum number of texts.
  package static func read(
    _ path: String, field: String, atMost limit: Int
  ) throws(VDSQError) -> [String] {
    try texts(
      in: try TextFile(path: path), field: isJSONLines(path) ? field : nil, atMost: limit)
  }

  /// - Parameter field: the field of the text in JSON Lines; nil for lines of text.
  package static func texts(
    in file: TextFile, field: String?, atMost limit: Int = most
  ) throws(VDSQError) -> [String] {
    var record: RecordFields?
    if let field { record = RecordFields([try FieldPath(field)]) }
    var texts: [String] = []
    try file.forEachLine { (line, number) throws(VDSQError) in
      if TextFile.isBlank(line) { return }
      var text = Array(line)
      if let record {
        do throws(VDSQError) {
          text = []
          try Array(line).withBytes { (bytes) throws(VDSQError) in
            try record.read(bytes)
            _ = try record.text(0, into: &text)
          }
        } catch { throw error.within("\(file.path): line \(number)") }
      }
      if !TextFile.isBlank(text) { texts.append(String(decoding: text, as: UTF8.self)) }
    }
    guard !texts.isEmpty else { throw .badInput("\(file.path): no texts") }
    guard texts.count > limit else { return texts }
    return (0..<limit).map { texts[$0 * texts.count / limit] }
  }

  private static func isJSONLines(_ path: String) -> Bool {
    let suffix: StaticString = ".jsonl"
    return suffix.withUTF8Buffer { suffix in
      let name = path.utf8.suffix(suffix.count)
      return name.count == suffix.count && zip(name, suffix).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    }
  }
}
