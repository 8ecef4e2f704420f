/// The names of the fields, or of a table's columns, that hold an example's text and its label.
public struct ExampleFields: Sendable, Equatable {
  /// The name of the text's field.
  public var text: String
  /// The name of the label's field.
  public var label: String
  /// What lets somebody choose the names, for the message about a table that does not have them:
  /// `--text-field and --label-field`, for example. Nil where nothing does.
  public var chosenBy: String?

  /// `text` and `label`, unless other names are given.
  public init(text: String = "text", label: String = "label", chosenBy: String? = nil) {
    self.text = text
    self.label = label
    self.chosenBy = chosenBy
  }
}
