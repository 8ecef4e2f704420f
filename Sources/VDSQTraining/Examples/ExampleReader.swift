public import VDSQFormat
import VDSQSemantics
package import VDSQStreams

/// Reads labelled texts from JSON Lines, comma-separated and tab-separated files.
///
///     let examples = try ExampleReader().read("tickets.csv")
///     let reviews = try ExampleReader(fields: ExampleFields(text: "body", label: "stars"))
///       .read("reviews.jsonl")
///
/// All examples of a file are in memory.
public struct ExampleReader: Sendable {
  /// The names of the fields with texts and labels.
  public let fields: ExampleFields
  /// Whether a label may be a number with a fraction in JSON, as the targets of a regression are.
  private let allowsFractions: Bool

  /// - Parameter fields: the names of the fields, or columns of a table, with texts and labels.
  public init(fields: ExampleFields = ExampleFields()) {
    self.init(fields: fields, allowsFractions: false)
  }

  /// - Parameters:
  ///   - fields: the names of the fields, or columns of a table, with texts and labels.
  ///   - allowsFractions: whether a label may be a number with a fraction in JSON.
  package init(fields: ExampleFields, allowsFractions: Bool) {
    (self.fields, self.allowsFractions) = (fields, allowsFractions)
  }

  /// Reads a file of at most 256 MiB in the format of its name (`ExampleFormat`). Examples whose
  /// text has nothing to read are left out.
  ///
  /// - Parameter report: called if examples are left out.
  /// - Throws: `missingInput` if it cannot be opened; `badInput`, naming the file and the line, if
  ///   an example is malformed, or if there is none.
  public func read(
    _ path: String, report: (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) -> [Examples.Example] {
    let all = try examples(in: try TextFile(path: path), format: ExampleFormat(path: path))
    let readable = Examples.readable(all, report: report)
    guard !readable.isEmpty else { throw .badInput("\(path): no example has anything to read") }
    return readable
  }

  /// Reads the contents of a file.
  ///
  /// - Throws: `badInput`, naming the file and the line, if an example is malformed, or if there is
  ///   none.
  package func examples(
    in file: TextFile, format: ExampleFormat
  ) throws(VDSQError) -> [Examples.Example] {
    let examples =
      switch format {
      case .jsonLines: try lines(file)
      case .commaSeparated: try rows(file, try DelimitedText(commaSeparated: file))
      case .tabSeparated: try rows(file, try DelimitedText(tabSeparated: file))
      }
    guard !examples.isEmpty else { throw .badInput("\(file.path): no examples") }
    return examples
  }

  /// Reads a JSON object with a text and a label.
  ///
  /// - Parameter context: where the object is from, for error messages.
  /// - Throws: `badInput` if it is not JSON, the text is missing or not a text, or the label is
  ///   missing, empty, or neither a text nor an integer.
  public func example(
    inLine bytes: [UInt8], context: String
  ) throws(VDSQError) -> Examples.Example {
    let record = try record()
    do throws(VDSQError) {
      return try bytes.withBytes { (bytes) throws(VDSQError) in
        try example(bytes, record, nil)
      }
    } catch { throw error.within(context) }
  }

  private func record() throws(VDSQError) -> RecordFields {
    RecordFields([try FieldPath(fields.text), try FieldPath(fields.label)])
  }

  private func lines(_ file: TextFile) throws(VDSQError) -> [Examples.Example] {
    let record = try record()
    var examples: [Examples.Example] = []
    var kind = LabelKind()
    try file.forEachLine { (line, number) throws(VDSQError) in
      if TextFile.isBlank(line) { return }
      do throws(VDSQError) {
        examples.append(
          try Array(line).withBytes { (bytes) throws(VDSQError) in
            let example = try self.example(
              bytes, record, Examples.Origin(file: file.path, line: number))
            try kind.add(record.values[1], example.label, line: number)
            return example
          })
      } catch { throw error.within("\(file.path): line \(number)") }
    }
    return examples
  }

  private func example(
    _ line: UnsafeRawBufferPointer, _ record: RecordFields, _ origin: Examples.Origin?
  ) throws(VDSQError) -> Examples.Example {
    let (text, isReplaced) = try record.readExample(line)
    return try Self.example(
      text, label: try record.name(1, allowsFractions: allowsFractions), origin,
      isReplaced: isReplaced)
  }

  private static func example(
    _ text: String, label: String, _ origin: Examples.Origin?, isReplaced: Bool = false
  ) throws(VDSQError) -> Examples.Example {
    if let fault = Label.fault(in: label) { throw .badInput("the label: \(fault)") }
    return Examples.Example(text: text, label: label, origin: origin, isReplaced: isReplaced)
  }

  private func rows(
    _ file: TextFile, _ table: DelimitedText
  ) throws(VDSQError) -> [Examples.Example] {
    guard let text = table.names.firstIndex(ofBytes: fields.text),
      let label = table.names.firstIndex(ofBytes: fields.label)
    else {
      let names = table.names.joined(separator: ", ")
      throw VDSQError(
        .badInput,
        "\(file.path): no fields \(fields.text) and \(fields.label) in the first line, which names "
          + names, .exampleFields)
    }
    for name in [fields.text, fields.label] {
      guard table.names.count(where: { $0.hasSameBytes(as: name) }) == 1 else {
        throw VDSQError(
          .badInput, "\(file.path): the first line names \(name) twice", .exampleFields)
      }
    }
    var examples: [Examples.Example] = []
    for record in table.records {
      let origin = Examples.Origin(file: file.path, line: record.line)
      do throws(VDSQError) {
        guard !record.fields[label].isEmpty else {
          throw .badInput("the field \(fields.label) is empty")
        }
        examples.append(
          try Self.example(record.fields[text], label: record.fields[label], origin))
      } catch { throw error.within("\(file.path): line \(record.line)") }
    }
    return examples
  }
}
