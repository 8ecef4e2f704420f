public import VDSQFormat
import VDSQStreams

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

  /// Whether the only word is a name that means nothing: a number, or a number after "label" or
  /// "class", as in LABEL_3.
  package var saysNothing: Bool {
    guard words.count == 1, words[0].hasSameBytes(as: name) else { return false }
    var rest = name.utf8[...]
    for prefix in ["label", "class"] {
      let isPrefix = zip(rest, prefix.utf8).allSatisfy { $0 | 0x20 == $1 }
      guard isPrefix, rest.count > prefix.utf8.count else { continue }
      rest = rest.dropFirst(prefix.utf8.count)
      break
    }
    if let first = rest.first, "_- ".utf8.contains(first) { rest = rest.dropFirst() }
    return !rest.isEmpty && rest.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
  }

  /// Parses labels in the syntax of the command line.
  ///
  /// `a,b,c` are three labels whose words are their names. With an equals sign, words are given and
  /// labels are separated by semicolons: `billing=invoice,credit card;outage=down`.
  ///
  /// - Throws: `usage` if a label is empty or occurs twice, or if commas and semicolons are mixed
  ///   up.
  public static func parse(list: String) throws(VDSQError) -> [Label] {
    let hasWords = list.utf8.contains(UInt8(ascii: "="))
    var labels: [Label] = []
    for part in split(list, ";") {
      let name = part.utf8.prefix { $0 != UInt8(ascii: "=") }
      guard hasWords ? !name.contains(UInt8(ascii: ",")) : name.count == list.utf8.count else {
        throw .usage(
          "labels: \"\(list)\": labels without words are separated by commas (a,b), labels of "
            + "which one has words by semicolons (a=word,word;b)")
      }
    }
    for part in split(list, hasWords ? ";" : ",") {
      labels.append(try parse(line: part))
    }
    return try checked(labels)
  }

  /// Parses one label: `name`, or `name=word,word phrase`.
  ///
  /// - Throws: `usage` if the name or a word is empty, or a word has an equals sign.
  public static func parse(line: String) throws(VDSQError) -> Label {
    var parts: [String] = []
    if let equals = line.utf8.firstIndex(of: UInt8(ascii: "=")) {
      parts.append(trimmed(line[..<equals]))
      for word in split(String(line[line.utf8.index(after: equals)...]), ",") {
        guard !word.utf8.contains(UInt8(ascii: "=")) else {
          throw .usage(
            "labels: \"\(line)\" has a second =; labels with words are separated by semicolons "
              + "(a=word,word;b=word), or have a line each in a file")
        }
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

  /// - Throws: `usage` if there are no labels, if a name is blank or has a control character, or if
  ///   two have the same name.
  public static func checked(_ labels: [Label]) throws(VDSQError) -> [Label] {
    if labels.isEmpty { throw .usage("labels: the list is empty") }
    for (i, label) in labels.enumerated() {
      if let fault = fault(in: label.name) { throw .usage("labels: \(fault)") }
      for other in labels[..<i] where other.name.utf8.elementsEqual(label.name.utf8) {
        throw .usage("labels: \(label.name) is there twice")
      }
    }
    return labels
  }

  /// What is wrong with a name of a label; nil if nothing is. A tab or a line end would break the
  /// lines of answers.
  package static func fault(in name: String) -> String? {
    var isBlank = true
    for scalar in name.unicodeScalars {
      switch scalar.value {
      case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029:
        let quoted = JSONWriter.string { $0.write(name) }
        return "the name \(quoted) has a tab, a line end or another control character"
      case 0x20: break
      default: isBlank = false
      }
    }
    return isBlank ? "a name is empty" : nil
  }

  /// Checks that a classifier of these labels has a choice.
  ///
  /// - Throws: `usage` if fewer than two labels have words.
  package static func checkChoice(_ labels: [Label]) throws(VDSQError) {
    var last: Label?
    var count = 0
    for label in labels where !label.words.isEmpty { (last, count) = (label, count + 1) }
    guard count == 1, let last else { return }
    guard let scope = labels.first(where: { $0.words.isEmpty }) else { throw noChoice }
    throw .usage(
      "labels: \(scope.name) is out of scope, so \(last.name) would be the answer to every text; "
        + "name two or more others")
  }

  static var noChoice: VDSQError {
    .usage("labels: one label alone would be the answer to every text; name two or more")
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

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r"
  }

  private static func trimmed(_ text: Substring) -> String {
    var scalars = text.unicodeScalars
    while let first = scalars.first, isSpace(first) { scalars.removeFirst() }
    while let last = scalars.last, isSpace(last) { scalars.removeLast() }
    return String(scalars)
  }
}
