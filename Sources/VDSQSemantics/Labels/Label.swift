public import VDSQFormat

/// A class of texts, and the words that describe its meaning.
public struct Label: Sendable, Equatable {
  /// The class name in results and in examples.
  public let name: String
  /// Words or phrases. The name itself if none were given; empty for the out-of-scope label.
  public let words: [String]

  /// Compares names and words by their bytes: "é" in one scalar and in two are two labels.
  public static func == (a: Label, b: Label) -> Bool {
    a.name.hasSameBytes(as: b.name)
      && a.words.elementsEqual(b.words) { $0.hasSameBytes(as: $1) }
  }

  /// A label with the words that describe it; its name is the only word if there are none.
  public init(name: String, words: [String] = []) {
    self.name = name
    self.words = words.isEmpty ? [name] : words
  }

  /// The label of texts that belong to no other label. Its name is not used as a word; its meaning
  /// comes from examples.
  public static func outOfScope(_ name: String) -> Label { Label(outOfScope: name) }

  private init(outOfScope name: String) {
    self.name = name
    words = []
  }

  /// Parses labels in the syntax of the command line.
  ///
  /// `a,b,c` are three labels whose words are their names. With an equals sign, words are given and
  /// labels are separated by semicolons: `billing=invoice,credit card;outage=down`.
  ///
  /// - Throws: `usage` if a label is empty or occurs twice.
  public static func parse(list: String) throws(VDSQError) -> [Label] {
    let hasWords = list.utf8.contains(UInt8(ascii: "="))
    var labels: [Label] = []
    for part in split(list, hasWords ? ";" : ",") {
      labels.append(try parse(line: part))
    }
    return try checked(labels)
  }

  /// Parses one label: `name`, or `name=word,word phrase`.
  ///
  /// - Throws: `usage` if the name or a word is empty.
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

  /// - Throws: `usage` if there are no labels, or two with the same name.
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
