import VDSQFiles
package import VDSQFormat
import VDSQStreams
package import VDSQTraining

/// A file with the answer to every text of an evaluation: comma-separated (RFC 4180), or a JSON
/// object per line, as its name says.
///
///     text,label,predicted,probability,label_probability,correct,line,shots,seed
///
/// `probability` is that of the predicted label, `label_probability` that of the text's own.
/// `line` is where the text begins in its file. `shots` and `seed` are empty for an adapter.
package struct PredictionsFile {
  private let path: String
  private let isJSON: Bool

  /// - Throws: `usage` if the name ends neither in `.csv` nor in `.jsonl`.
  package init(path: String) throws(VDSQError) {
    let name = path.lowercased()
    isJSON = name.hasSuffix(".jsonl")
    guard isJSON || name.hasSuffix(".csv") else {
      throw .usage("\(path): predictions are written as .csv or .jsonl")
    }
    self.path = path
  }

  /// Writes the answers of all rows.
  ///
  /// - Parameter texts: the texts that were classified, in order.
  /// - Throws: `usage` if the file exists and may not be replaced, or cannot be written.
  package func write(
    _ rows: [EvaluationRow], texts: [Examples.Example], replace: Bool
  ) throws(VDSQError) {
    let file = try AtomicFile(path: path, replace: replace)
    let output = OutputBuffer(descriptor: nil)
    let json = JSONWriter(output)
    if !isJSON {
      output.write(
        "text,label,predicted,probability,label_probability,correct,line,shots,seed\r\n")
    }
    for row in rows {
      for (seed, evaluation) in row.evaluations.enumerated() {
        for (text, answer) in zip(texts, evaluation.answers) {
          let record = Record(
            text: text, predicted: row.names[answer.predicted], answer: answer, shots: row.shots,
            seed: row.shots.map { $0 == 0 ? nil : seed } ?? nil)
          if isJSON { record.write(to: json) } else { record.write(to: output) }
          if output.bytes.count >= 1 << 16 {
            try file.write(output.bytes)
            output.removeAll()
          }
        }
      }
    }
    try file.write(output.bytes)
    try file.commit()
  }

  /// An answer to a text.
  private struct Record {
    let text: Examples.Example
    let predicted: String
    let answer: Evaluation.Answer
    let shots: Int?
    let seed: Int?

    func write(to json: JSONWriter) {
      json.object {
        json.member("text", text.text)
        json.member("label", text.label)
        json.member("predicted", predicted)
        json.member("probability", answer.probability, decimals: 6)
        json.member("label_probability", answer.targetProbability, decimals: 6)
        json.member("correct", answer.isRight)
        json.member("line", text.origin?.line)
        json.member("shots", shots)
        json.member("seed", seed)
      }
      json.output.write("\n")
    }

    func write(to output: OutputBuffer) {
      for field in [text.text, text.label, predicted] {
        output.write(CommaSeparated.field(field))
        output.write(",")
      }
      output.write(answer.probability, decimals: 6)
      output.write(",")
      output.write(answer.targetProbability, decimals: 6)
      output.write(answer.isRight ? ",true" : ",false")
      for number in [text.origin?.line, shots, seed] {
        output.write(",")
        if let number { output.write(number) }
      }
      output.write("\r\n")
    }
  }
}
