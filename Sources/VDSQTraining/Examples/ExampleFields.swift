/// The names of the fields, or of a table's columns, that hold an example's text and its label.
public struct ExampleFields: Sendable, Equatable {
  /// The name of the text's field.
  public var text: String
  /// The name of the label's field.
  public var label: String

  /// `text` and `label`, unless other names are given.
  public init(text: String = "text", label: String = "label") {
    self.text = text
    self.label = label
  }
}
