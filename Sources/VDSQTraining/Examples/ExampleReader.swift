import VDSQCheckpoints
public import VDSQFormat

/// Reads labelled texts from JSON Lines, comma-separated and tab-separated files.
///
///     let examples = try ExampleReader().read("tickets.csv")
///     let reviews = try ExampleReader(fields: ExampleFields(text: "body", label: "stars"))
///       .read("reviews.jsonl")
///
/// All examples of a file are in memory; `ExampleStream` reads them one at a time.
public struct ExampleReader: Sendable {
  /// The names of the fields with texts and labels.
  public let fields: ExampleFields

  /// - Parameter fields: the names of the fields, or columns of a table, with texts and labels.
  public init(fields: ExampleFields = ExampleFields()) { self.fields = fields }

  /// Reads a file of at most 256 MiB in the format of its name (`ExampleFormat`).
  ///
  /// - Throws: `missingInput` if it cannot be opened; `badInput`, naming the file and the line, if
  ///   an example is malformed, or if there is none.
  public func read(_ path: String) throws(VDSQError) -> [Examples.Example] {
    try examples(
      in: try InputFile.contents(of: path), format: ExampleFormat(path: path), name: path)
  }

  /// Reads the contents of a file.
  ///
  /// - Parameter name: the name of the file in error messages.
  /// - Throws: `badInput`, naming the file and the line, if an example is malformed, or if there is
  ///   none.
  package func examples(
    in bytes: [UInt8], format: ExampleFormat, name: String
  ) throws(VDSQError) -> [Examples.Example] {
    let examples =
      switch format {
      case .jsonLines: try lines(bytes, name)
      case .commaSeparated: try rows(bytes, UInt8(ascii: ","), name)
      case .tabSeparated: try rows(bytes, UInt8(ascii: "\t"), name)
      }
    guard !examples.isEmpty else { throw .badInput("\(name): no examples") }
    return examples
  }

  /// Reads a JSON object with a text and a label.
  ///
  /// - Parameter context: where the object is from, for error messages.
  /// - Throws: `badInput` if it is not JSON, a field is missing or not a text, or the label is
  ///   empty.
  public func example(
    inLine bytes: [UInt8], context: String
  ) throws(VDSQError) -> Examples.Example {
    let json = try JSON(parsing: bytes, context: context)
    guard let text = JSONField(fields.text).text(in: json),
      let label = JSONField(fields.label).text(in: json), !label.isEmpty
    else {
      throw .badInput("\(context): no text in the fields \(fields.text) and \(fields.label)")
    }
    return Examples.Example(text: text, label: label)
  }

  private func lines(_ bytes: [UInt8], _ name: String) throws(VDSQError) -> [Examples.Example] {
    var examples: [Examples.Example] = []
    var number = 0
    for line in bytes.split(separator: 10, omittingEmptySubsequences: false) {
      number += 1
      if Self.isBlank(line) { continue }
      examples.append(try example(inLine: Array(line), context: "\(name): line \(number)"))
    }
    return examples
  }

  /// Whether a line has only spaces, tabs and a carriage return.
  package static func isBlank(_ line: some Sequence<UInt8>) -> Bool {
    line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
  }

  private func rows(
    _ bytes: [UInt8], _ separator: UInt8, _ name: String
  ) throws(VDSQError) -> [Examples.Example] {
    let table = try DelimitedText(bytes, separator: separator, path: name)
    guard let text = table.names.firstIndex(ofBytes: fields.text),
      let label = table.names.firstIndex(ofBytes: fields.label)
    else {
      let names = table.names.joined(separator: ", ")
      throw VDSQError(
        .badInput,
        "\(name): no fields \(fields.text) and \(fields.label) in the first line, which names "
          + names, .exampleFields)
    }
    var examples: [Examples.Example] = []
    for record in table.records {
      guard !record.fields[label].isEmpty else {
        throw .badInput("\(name): line \(record.line): the field \(fields.label) is empty")
      }
      examples.append(Examples.Example(text: record.fields[text], label: record.fields[label]))
    }
    return examples
  }
}
