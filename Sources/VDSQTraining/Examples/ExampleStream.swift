package import VDSQFormat
package import VDSQStreams

/// Reads labelled texts one at a time, in constant memory: JSON Lines, or a text per line where all
/// texts have the same label. Blank lines are skipped.
package final class ExampleStream {
  /// An example and where it is from.
  package struct Element: Sendable {
    /// The text and its label.
    package let example: Examples.Example
    /// The input's name and the line's number, for error messages.
    package let context: String
  }

  private let lines: LineReader
  private let name: String
  private let reader: ExampleReader
  private let label: String?

  /// - Parameters:
  ///   - name: the name of the input in error messages.
  ///   - label: the label of all texts, which are then plain lines; nil for JSON Lines.
  package init(
    _ lines: LineReader, name: String, fields: ExampleFields = ExampleFields(),
    label: String? = nil
  ) {
    self.lines = lines
    self.name = name
    self.label = label
    reader = ExampleReader(fields: fields)
  }

  /// The next example; nil at the end of the input.
  ///
  /// - Throws: `missingInput` if reading fails; `badInput`, naming the line, if an example is
  ///   malformed or longer than `LineReader.longestLine` bytes.
  package func next() throws(VDSQError) -> Element? {
    while let line = try lines.next() {
      if ExampleReader.isBlank(line.bytes) { continue }
      let context = "\(name): line \(line.number)"
      guard !line.cut else { throw .badInput("\(context): the line is too long") }
      return Element(example: try example(Array(line.bytes), context), context: context)
    }
    return nil
  }

  private func example(
    _ bytes: [UInt8], _ context: String
  ) throws(VDSQError) -> Examples.Example {
    guard let label else { return try reader.example(inLine: bytes, context: context) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .badInput("\(context): not UTF-8")
    }
    return Examples.Example(text: text, label: label)
  }
}
