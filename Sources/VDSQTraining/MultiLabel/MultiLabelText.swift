package import VDSQFormat

/// A text with any number of labels.
public struct MultiLabelText: Sendable {
  /// The text without a template.
  public let text: String
  /// The names of its labels, each once; may be empty.
  public let labels: [String]
  /// Where it is from; nil if that is not known.
  let origin: Examples.Origin?
  /// Whether a part of the text was no character, and became U+FFFD.
  let isReplaced: Bool

  /// A text with the names of its labels, which are checked when the text is encoded.
  public init(text: String, labels: [String]) {
    self.init(text: text, labels: labels, origin: nil, isReplaced: false)
  }

  init(text: String, labels: [String], origin: Examples.Origin?, isReplaced: Bool) {
    (self.text, self.labels, self.origin, self.isReplaced) = (text, labels, origin, isReplaced)
  }

  /// The text as an example of one label. States do not depend on labels.
  func example(of label: String) -> Examples.Example {
    Examples.Example(text: text, label: label, origin: origin, isReplaced: isReplaced)
  }

  /// All labels of texts, in the order of their first appearance.
  package static func labels(of texts: [MultiLabelText]) -> [String] {
    var seen: Set<ByteString> = []
    return texts.flatMap(\.labels).filter { seen.insert(ByteString($0)).inserted }
  }

  /// Whether each text has a label, `[labels][texts]`.
  ///
  /// - Throws: `badInput` if a text has a label that is not among the names.
  package static func membership(
    of texts: [MultiLabelText], among names: [String]
  ) throws(VDSQError) -> [[Bool]] {
    let indices = Dictionary(
      names.enumerated().map { (ByteString($1), $0) }, uniquingKeysWith: { first, _ in first })
    var has = names.map { _ in [Bool](repeating: false, count: texts.count) }
    for (i, text) in texts.enumerated() {
      for label in text.labels {
        guard let index = indices[ByteString(label)] else {
          throw .badInput(
            "\(text.example(of: label).place(i)): the label \(label) is not among the labels: "
              + names.joined(separator: ", "))
        }
        has[index][i] = true
      }
    }
    return has
  }
}
