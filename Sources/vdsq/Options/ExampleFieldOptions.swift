import ArgumentParser
import VDSQTraining

/// What the fields of labelled texts are called.
struct ExampleFieldOptions: ParsableArguments {
  @Option(help: "The field of an example's text.")
  var textField = "text"

  @Option(help: "The field of an example's label.")
  var labelField = "label"

  func reader() -> ExampleReader { ExampleReader(fields: fields()) }

  func fields() -> ExampleFields {
    ExampleFields(text: textField, label: labelField)
  }
}
