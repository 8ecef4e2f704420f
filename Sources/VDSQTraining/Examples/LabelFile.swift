import VDSQCheckpoints
public import VDSQFormat
public import VDSQSemantics

/// Reads labels from a file: one per line, as `name` or `name=word,word phrase`; or a JSON object
/// of `"name": ["word", "word phrase"]` or `"name": "word"`.
public enum LabelFile {
  /// Reads a file of at most 16 MiB.
  ///
  /// - Throws: `missingInput` if it cannot be opened; `badInput` if it is not UTF-8, its JSON is
  ///   malformed, or a word is not a text; what `Label.checked` throws.
  public static func read(_ path: String) throws(VDSQError) -> [Label] {
    try labels(in: try InputFile.contents(of: path, limit: 16 << 20), path: path)
  }

  /// Reads the contents of a file.
  ///
  /// - Parameter path: the file, for error messages.
  /// - Throws: as `read` does.
  public static func labels(in bytes: [UInt8], path: String) throws(VDSQError) -> [Label] {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .badInput("\(path): not UTF-8")
    }
    if text.first(where: { !$0.isWhitespace }) == "{" {
      return try labels(of: try JSON(parsing: bytes, context: path), path)
    }
    var labels: [Label] = []
    for line in text.split(whereSeparator: \.isNewline) where !line.allSatisfy(\.isWhitespace) {
      labels.append(try Label.parse(line: String(line)))
    }
    return try Label.checked(labels)
  }

  private static func labels(of json: JSON, _ path: String) throws(VDSQError) -> [Label] {
    var labels: [Label] = []
    for member in json.members ?? [] {
      var words: [String] = []
      for value in member.value.elements ?? [member.value] {
        guard let word = value.text, !word.isEmpty else {
          throw .badInput("\(path): label \(member.key) has a word that is no text")
        }
        words.append(word)
      }
      labels.append(Label(name: member.key, words: words))
    }
    return try Label.checked(labels)
  }
}
