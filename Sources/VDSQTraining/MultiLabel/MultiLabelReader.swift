public import VDSQFormat
import VDSQSemantics
package import VDSQStreams

/// Reads texts with several labels from JSON Lines: `{"text": "...", "labels": ["a", "b"]}`.
///
/// Labels are texts, integers or booleans, as those of `ExampleReader` are.
public struct MultiLabelReader: Sendable {
  /// The names of the fields with texts and lists of labels.
  public let fields: ExampleFields

  /// A reader of texts and lists of labels in these fields.
  public init(fields: ExampleFields = ExampleFields(label: "labels")) { self.fields = fields }

  /// Reads a file of at most 256 MiB. Texts that have nothing to read are left out.
  ///
  /// - Parameter report: called if texts are left out.
  /// - Throws: `missingInput` if it cannot be opened; `badInput`, naming the file and the line, if
  ///   a text or a label is malformed, or if there is none; `usage` for a table.
  public func read(
    _ path: String, report: (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) -> [MultiLabelText] {
    guard ExampleFormat(path: path) == .jsonLines else {
      throw .usage("\(path): texts with several labels are JSON Lines, not a table")
    }
    let all = try texts(in: try TextFile(path: path))
    let readable = all.filter { !$0.example(of: "").isBlank }
    if readable.count < all.count { report(.leftOut(all.count - readable.count, of: all.count)) }
    guard !readable.isEmpty else { throw .badInput("\(path): no text has anything to read") }
    return readable
  }

  /// Reads the contents of a file.
  package func texts(in file: TextFile) throws(VDSQError) -> [MultiLabelText] {
    let record = RecordFields([try FieldPath(fields.text), try FieldPath(fields.label)])
    var texts: [MultiLabelText] = []
    var kind = LabelKind()
    try file.forEachLine { (line, number) throws(VDSQError) in
      if TextFile.isBlank(line) { return }
      do throws(VDSQError) {
        try Array(line).withBytes { (bytes) throws(VDSQError) in
          let (text, isReplaced) = try record.readExample(bytes)
          texts.append(
            MultiLabelText(
              text: text, labels: try labels(record, &kind, line: number),
              origin: Examples.Origin(file: file.path, line: number), isReplaced: isReplaced))
        }
      } catch { throw error.within("\(file.path): line \(number)") }
    }
    guard !texts.isEmpty else { throw .badInput("\(file.path): no texts") }
    return texts
  }

  private func labels(
    _ record: RecordFields, _ kind: inout LabelKind, line: Int
  ) throws(VDSQError) -> [String] {
    let value = record.values[1]!
    guard value.kind == .array else {
      throw .badInput("the field \(record.path(1)) is not a list of labels")
    }
    var json: [UInt8] = []
    record.decode(value, into: &json)
    var names: [String] = []
    try json.withBytes { (bytes) throws(VDSQError) in
      var scanner = JSONScanner(bytes)
      try scanner.elements { (scanner) throws(VDSQError) in
        // The same rules as for a single label.
        let element = try scanner.value()
        let single = RecordFields([try FieldPath("label")])
        guard element.kind != .array, element.kind != .object else {
          throw .badInput(
            "an element of the field \(record.path(1)) is neither a text nor an integer")
        }
        let name = try Self.name(element, bytes, single)
        try kind.add(element, name, line: line)
        if let fault = Label.fault(in: name) { throw .badInput("the label: \(fault)") }
        if !names.contains(where: { $0.hasSameBytes(as: name) }) { names.append(name) }
      }
    }
    return names
  }

  private static func name(
    _ value: JSONScanner.Value, _ bytes: UnsafeRawBufferPointer, _ record: RecordFields
  ) throws(VDSQError) -> String {
    let range =
      value.kind == .string
      ? value.range.lowerBound - 1..<value.range.upperBound + 1
      : value.range
    let object =
      Array(#"{"label": "#.utf8) + UnsafeRawBufferPointer(rebasing: bytes[range]) + [0x7D]
    return try object.withBytes { (object) throws(VDSQError) in
      try record.read(object)
      return try record.name(0)
    }
  }
}
