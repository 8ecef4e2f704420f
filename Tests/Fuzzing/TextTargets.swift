import VDSQCheckpoints
import VDSQFormat
import VDSQSemantics
import VDSQStreams
import VDSQTraining

/// A JSON record from which fields are taken. The parser of whole documents must read the same text
/// where it accepts the record.
func fuzzRecord(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) {
  let fields = RecordFields([
    try FieldPath("text"), try FieldPath("a.b"), try FieldPath("id"), try FieldPath("a"),
  ])
  try fields.read(bytes)
  guard let document = try? JSON(parsing: bytes, context: "record") else { return }
  var text: [UInt8] = []
  if let halves = try? fields.text(0, into: &text), halves == 0,
    let same = document["text"]?.text
  {
    precondition(text.elementsEqual(same.utf8), "two parsers, two texts")
  }
  for index in fields.paths.indices { _ = try? fields.name(index) }
}

/// A file of labels.
func fuzzLabels(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) {
  _ = try Label.checked(try LabelFile.labels(in: Array(bytes), path: "labels"))
}

/// A file of examples: the first byte says in which format.
func fuzzExamples(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) {
  guard let first = bytes.first else { return }
  let formats: [ExampleFormat] = ["x.jsonl", "x.csv", "x.tsv"].map { ExampleFormat(path: $0) }
  _ = try ExampleReader().examples(
    in: try TextFile(Array(bytes.dropFirst()), path: "examples"),
    format: formats[Int(first) % formats.count])
}
