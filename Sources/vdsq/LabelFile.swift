import VDSQCheckpoints
import VDSQFormat
import VDSQSemantics

/// Labels in a file: a label a line, as `name` or `name=word,word phrase`, or a JSON object of
/// `"name": ["word", "word phrase"]`.
enum LabelFile {
  static func read(_ path: String) throws(VDSQError) -> [Label] {
    let bytes = try InputFile.contents(of: path, limit: 16 << 20)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .badInput("\(path): not UTF-8")
    }
    if text.first(where: { !$0.isWhitespace }) == "{" {
      return try labels(try JSON(parsing: bytes, context: path), path)
    }
    var labels: [Label] = []
    for line in text.split(whereSeparator: \.isNewline) where !line.allSatisfy(\.isWhitespace) {
      labels.append(try Label.parse(line: String(line)))
    }
    return try Label.checked(labels)
  }

  private static func labels(_ json: JSON, _ path: String) throws(VDSQError) -> [Label] {
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
