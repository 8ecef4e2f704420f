import VDSQFormat
import VDSQStreams

/// What the labels of a file are written as in JSON. The integer 3 and the text "3" are the same
/// label; a file in which integers and other texts are mixed is refused, because one of the two is
/// probably a mistake.
struct LabelKind {
  private var first: (kind: Kind, label: String, line: Int)?

  private enum Kind {
    case integer, boolean, text

    var name: StaticString {
      switch self {
      case .integer: "an integer"
      case .boolean: "true or false"
      case .text: "a text"
      }
    }
  }

  /// - Throws: `badInput` if the label is of another kind than one before.
  mutating func add(
    _ value: JSONScanner.Value?, _ label: String, line: Int
  ) throws(VDSQError) {
    let kind: Kind? =
      switch value?.kind {
      case .number: .integer
      case .boolean: .boolean
      // May be either.
      case .string where LabelIndex.isInteger(label) || label == "true" || label == "false": nil
      default: .text
      }
    guard let kind else { return }
    guard let first else { return self.first = (kind, label, line) }
    guard first.kind == kind else {
      throw .badInput(
        "the label \(label) is \(kind.name), but in line \(first.line) the label \(first.label) is "
          + "\(first.kind.name); write all labels in one way")
    }
  }
}
