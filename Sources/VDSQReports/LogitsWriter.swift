import VDSQFiles
package import VDSQFormat
package import VDSQSemantics
package import VDSQStreams
package import VDSQTokenizers

/// Writes the tokens or the labels that are closest to states, one line per state.
package final class LogitsWriter {
  package let rows: VocabularyRows
  private let tokenizer: Tokenizer?
  private let temperature: Float
  private let json: Bool
  private let output: OutputBuffer
  private let document: JSONWriter
  private let logits: VocabularyLogits
  /// The logits of the LM head; nil if they are not requested.
  package var head: VocabularyLogits?
  /// The token for whose loss the gradient is written; nil for none.
  package var target: Int32?
  /// Labels instead of tokens, and their number.
  package var classifier: Classifier?
  package var top = 0
  /// Receives the values of all tokens for each state; nil if they are not kept.
  private var scores: NPYWriter?
  private var row: [Float] = []

  /// - Parameters:
  ///   - tokenizer: nil if the file does not name its tokens.
  ///   - temperature: the softmax temperature of the cosines.
  ///   - logits: the lookup over the rows.
  package init(
    rows: VocabularyRows, tokenizer: Tokenizer?, temperature: Float, json: Bool,
    output: OutputBuffer, logits: VocabularyLogits
  ) {
    self.rows = rows
    self.tokenizer = tokenizer
    self.temperature = temperature
    self.json = json
    self.output = output
    document = JSONWriter(output)
    self.logits = logits
  }

  /// The number of dimensions of a state.
  package var dimensions: Int { rows.dimensions }

  /// - Throws: `badInput` if the number of token names differs from the number of bases.
  package func checkTokens() throws(VDSQError) {
    if let tokenizer, tokenizer.count > rows.count {
      throw .badInput("the file names \(tokenizer.count) tokens, but has \(rows.count) bases")
    }
  }

  /// Keeps the values of all tokens for each state in a file, `[states, vocabulary]`: cosines, or
  /// the logits of the LM head if these are written too.
  ///
  /// - Throws: `usage` if the file cannot be written.
  package func keepScores(in path: String, replace: Bool) throws(VDSQError) {
    let count = (head ?? logits).rows.count
    scores = try NPYWriter(path: path, columns: count, replace: replace)
    row = [Float](repeating: 0, count: count)
  }

  /// Whether the values of all tokens are kept.
  package var keepsScores: Bool { scores != nil }

  /// Keeps a row without values, in place of a state that there is not.
  package func skip() throws(VDSQError) {
    guard let scores else { return }
    try [Float](repeating: .nan, count: row.count).withUnsafeBufferPointer {
      (row) throws(VDSQError) in try scores.append(row)
    }
  }

  /// Gives the file of all values its name.
  package func finish() throws(VDSQError) { try scores?.finish() }

  /// The tokens of the highest values. Keeps the values of all, if they are those of the file.
  private func find(
    _ logits: VocabularyLogits, _ state: UnsafePointer<Float>, _ temperature: Float,
    _ body: (VocabularyLogits.Result) -> Void
  ) {
    guard keepsScores, logits === head ?? self.logits else {
      return logits.find(state, temperature: temperature, body)
    }
    row.withUnsafeMutableBufferPointer { row in
      logits.find(state, count: 1, temperature: temperature, scores: row.baseAddress!) {
        body($1)
      }
    }
  }

  /// Writes the line of a state.
  ///
  /// - Parameters:
  ///   - state: `[dimensions]`.
  ///   - tags: what identifies its record.
  /// - Throws: `internalFault` if the file of all values cannot be written.
  package func write(_ state: UnsafePointer<Float>, _ tags: AnswerTags) throws(VDSQError) {
    if let classifier {
      writeLabels(classifier, state, tags)
    } else if json {
      writeJSON(state, tags)
    } else {
      writeTokens(logits, state, temperature, decimals: 4)
      if let head {
        output.write("\t|\t")
        writeTokens(head, state, 1, decimals: 3)
      }
    }
    if !json { tags.writeColumns(to: output) }
    output.write("\n")
    guard let scores else { return }
    try row.withUnsafeBufferPointer { (row) throws(VDSQError) in try scores.append(row) }
  }

  private func token(_ id: Int32, isField: Bool = false) -> String {
    guard let tokenizer else { return isField ? "\(id)" : "" }
    var text: [UInt8] = []
    tokenizer.appendText(of: id, to: &text)
    return TokenText.shown(text, isField: isField)
  }

  private func writeTokens(
    _ logits: VocabularyLogits, _ state: UnsafePointer<Float>, _ temperature: Float, decimals: Int
  ) {
    var isFirst = true
    find(logits, state, temperature) { result in
      if !isFirst { output.write("\t") }
      isFirst = false
      output.write(token(result.id, isField: true))
      output.write("\t")
      output.write(result.value, decimals: decimals)
    }
  }

  private func writeJSON(_ state: UnsafePointer<Float>, _ tags: AnswerTags) {
    guard head != nil || target != nil else {
      return tags.write("tokens", document) { writeArray(logits, state, temperature, "cosine") }
    }
    document.object {
      tags.writeMembers(to: document)
      document.key("tokens")
      writeArray(logits, state, temperature, "cosine")
      if let head {
        document.key("entangled")
        writeArray(head, state, 1, "logit")
      }
      if let target {
        var gradient = [Float](repeating: 0, count: dimensions)
        let loss = gradient.withUnsafeMutableBufferPointer {
          logits.gradient(
            state: state, target: target, temperature: temperature, into: $0.baseAddress!)
        }
        document.member("target", target)
        document.member("loss", loss)
        document.member("gradient", gradient)
      }
    }
  }

  private func writeArray(
    _ logits: VocabularyLogits, _ state: UnsafePointer<Float>, _ temperature: Float,
    _ value: String
  ) {
    document.array {
      find(logits, state, temperature) { result in
        document.object {
          document.member("id", result.id)
          document.member("token", token(result.id))
          document.member(value, result.value, decimals: 6)
          document.member("probability", result.probability, decimals: 9)
        }
      }
    }
  }

  private func writeLabels(
    _ classifier: Classifier, _ state: UnsafePointer<Float>, _ tags: AnswerTags
  ) {
    var scores = classifier.scores(of: state, top: top)
    if tags.isBlank { scores.setEqual() }
    let best = scores.ranking.prefix(min(top, classifier.labels.count))
    guard json else {
      for (place, label) in best.enumerated() {
        if place > 0 { output.write("\t") }
        output.write(classifier.labels.names[label])
        output.write("\t")
        output.write(scores.cosines[label], decimals: 4)
      }
      return
    }
    tags.write("labels", document) {
      document.array {
        for label in best {
          document.object {
            document.member("label", classifier.labels.names[label])
            document.member("cosine", scores.cosines[label], decimals: 6)
            document.member("probability", scores.probabilities[label], decimals: 9)
          }
        }
      }
    }
  }
}
