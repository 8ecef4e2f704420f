public import VDSQFormat

/// A class that texts are sorted into, and the words that say what it means.
public struct Label: Sendable, Equatable {
  public let name: String
  /// Words or phrases; the name itself where none were given, none where the label is of what is out of scope.
  public let words: [String]

  public init(name: String, words: [String] = []) {
    self.name = name
    self.words = words.isEmpty ? [name] : words
  }

  /// The label of texts that belong to none of the others: its name says nothing of them, examples may.
  public static func outOfScope(_ name: String) -> Label { Label(outOfScope: name) }

  private init(outOfScope name: String) {
    self.name = name
    words = []
  }

  /// Labels as the command line writes them.
  ///
  /// `a,b,c` are three labels that mean what their names say. With an equals sign the words are
  /// given: `billing=invoice,credit card;outage=down`, a semicolon between labels.
  ///
  /// - Throws: `usage` where a label is empty or there twice.
  public static func parse(list: String) throws(VDSQError) -> [Label] {
    let hasWords = list.utf8.contains(UInt8(ascii: "="))
    var labels: [Label] = []
    for part in split(list, hasWords ? ";" : ",") {
      labels.append(try parse(line: part))
    }
    return try checked(labels)
  }

  /// One label: `name`, or `name=word,word phrase`.
  ///
  /// - Throws: `usage` where the name or a word is empty.
  public static func parse(line: String) throws(VDSQError) -> Label {
    var parts: [String] = []
    if let equals = line.utf8.firstIndex(of: UInt8(ascii: "=")) {
      parts.append(trimmed(line[..<equals]))
      for word in split(String(line[line.utf8.index(after: equals)...]), ",") {
        parts.append(trimmed(word[...]))
      }
    } else {
      parts.append(trimmed(line[...]))
    }
    for part in parts where part.utf8.isEmpty {
      throw .usage("labels: \"\(line)\" has an empty name or word")
    }
    return Label(name: parts[0], words: Array(parts.dropFirst()))
  }

  /// - Throws: `usage` where there are no labels, or two of one name.
  public static func checked(_ labels: [Label]) throws(VDSQError) -> [Label] {
    if labels.isEmpty { throw .usage("labels: the list is empty") }
    for (i, label) in labels.enumerated() {
      for other in labels[..<i] where other.name.utf8.elementsEqual(label.name.utf8) {
        throw .usage("labels: \(label.name) is there twice")
      }
    }
    return labels
  }

  private static func split(_ text: String, _ separator: Unicode.Scalar) -> [String] {
    var parts: [String] = []
    var current = ""
    for scalar in text.unicodeScalars {
      if scalar == separator {
        parts.append(current)
        current = ""
      } else {
        current.unicodeScalars.append(scalar)
      }
    }
    parts.append(current)
    return parts
  }

  private static func trimmed(_ text: Substring) -> String {
    var scalars = text.unicodeScalars
    while let first = scalars.first, first.value <= 0x20 { scalars.removeFirst() }
    while let last = scalars.last, last.value <= 0x20 { scalars.removeLast() }
    return String(scalars)
  }
}
