import ArgumentParser
import VDSQTraining

/// The names of the fields of labelled texts.
struct ExampleFieldOptions: ParsableArguments {
  @Option(help: "The name of the field with the text of an example.")
  var textField = "text"

  @Option(
    help: """
      The name of the field with the label of an example. (default: label; labels for adapt and eval with --multi-label)
      """)
  var labelField: String?

  func reader() -> ExampleReader { ExampleReader(fields: fields()) }

  func fields() -> ExampleFields {
    ExampleFields(text: textField, label: labelField ?? "label")
  }

  /// The reader of texts with several labels.
  func severalLabels() -> MultiLabelReader {
    MultiLabelReader(fields: ExampleFields(text: textField, label: labelField ?? "labels"))
  }
}
