import VDSQCheckpoints
import VDSQFormat
import VDSQInference
import VDSQTraining

/// Labelled texts in JSON Lines.
enum ExampleFile {
  static func read(
    _ path: String, textField: String, labelField: String
  ) throws(VDSQError) -> [Examples.Example] {
    let bytes = try InputFile.contents(of: path)
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
    guard !examples.isEmpty else { throw .badInput("\(path): no examples") }
    return examples
  }
}
