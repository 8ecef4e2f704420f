/// The kind of a file.
package enum FileKind: UInt32, Sendable {
  /// A model: weights, tokenizer and configuration (.vdsq).
  case model = 1
  /// An adapter: what was trained for a task on top of a model (.vdsa).
  case adapter = 2
  /// Vocabulary bases in a file of their own, with or without a model that they belong to.
  case bases = 3
  /// The translators of a tuned lens for a model.
  case lens = 4
  /// Directions of the states of a layer of a model (.vdsd).
  case directions = 5

  /// The kind with its article, for error messages.
  package var name: StaticString {
    switch self {
    case .model: "a model"
    case .adapter: "an adapter"
    case .bases: "vocabulary bases"
    case .lens: "a tuned lens"
    case .directions: "directions"
    }
  }
}
