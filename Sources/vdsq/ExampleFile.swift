import VDSQCheckpoints
import VDSQFormat
import VDSQInference
import VDSQTraining

/// Labelled texts: comma-separated in a `.csv` file, tab-separated in a `.tsv` file, JSON Lines in any other.
enum ExampleFile {
  static func read(
    _ path: String, textField: String, labelField: String
  ) throws(VDSQError) -> [Examples.Example] {
    let bytes = try InputFile.contents(of: path)
    let examples: [Examples.Example]
    if path.hasSuffix(".csv") || path.hasSuffix(".tsv") {
      let separator: UInt8 = path.hasSuffix(".csv") ? UInt8(ascii: ",") : UInt8(ascii: "\t")
      examples = try delimited(
        try DelimitedText(bytes, separator: separator, path: path), path, textField, labelField)
    } else {
      examples = try lines(bytes, path, textField, labelField)
    }
    guard !examples.isEmpty else { throw .badInput("\(path): no examples") }
    return examples
  }

  private static func delimited(
    _ table: DelimitedText, _ path: String, _ textField: String, _ labelField: String
  ) throws(VDSQError) -> [Examples.Example] {
    guard let text = table.names.firstIndex(of: textField),
      let label = table.names.firstIndex(of: labelField)
    else {
      let names = table.names.joined(separator: ", ")
      throw .badInput(
        "\(path): no fields \(textField) and \(labelField) in the first line, which names \(names); "
          + "--text-field and --label-field say others")
    }
    var examples: [Examples.Example] = []
    for record in table.records {
      guard !record.fields[label].isEmpty else {
        throw .badInput("\(path): line \(record.line): the field \(labelField) is empty")
      }
      examples.append(
        Examples.Example(text: record.fields[text], label: record.fields[label]))
    }
    return examples
  }

  private static func lines(
    _ bytes: [UInt8], _ path: String, _ textField: String, _ labelField: String
  ) throws(VDSQError) -> [Examples.Example] {
    var examples: [Examples.Example] = []
    var number = 0
    for line in bytes.split(separator: 10, omittingEmptySubsequences: false) {
      number += 1
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
      let json = try JSON(parsing: Array(line), context: "\(path): line \(number)")
      guard let text = json[textField]?.text, let label = json[labelField]?.text, !label.isEmpty
      else {
        throw .badInput(
          "\(path): line \(number): no text in the fields \(textField) and \(labelField)")
      }
      examples.append(Examples.Example(text: text, label: label))
    }
    return examples
  }
}
