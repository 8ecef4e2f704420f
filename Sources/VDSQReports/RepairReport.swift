import VDSQFormat
package import VDSQStreams
package import VDSQTraining

/// The result of `vdsq repair`.
package struct RepairReport: Report {
  let evaluation: RepairEvaluation
  let rounds: [ModelRepair.Round]
  let layers: [Int]
  let neurons: Int
  let tokens: Int
  /// The file that was written, and its length.
  let output: String
  let bytes: Int
  /// The duration.
  let seconds: Double

  /// - Parameters:
  ///   - layers: those that were changed, from 1.
  ///   - neurons: the number of neurons of each.
  ///   - tokens: the number of tokens of all answers.
  package init(
    _ evaluation: RepairEvaluation, rounds: [ModelRepair.Round], layers: [Int], neurons: Int,
    tokens: Int, output: String, bytes: Int, seconds: Double
  ) {
    self.evaluation = evaluation
    self.rounds = rounds
    self.layers = layers
    self.neurons = neurons
    self.tokens = tokens
    self.output = output
    self.bytes = bytes
    self.seconds = seconds
  }

  package var text: String {
    var lines: [String] = []
    for outcome in evaluation.outcomes where !outcome.holds {
      let text = JSONWriter.string { $0.write(outcome.fix.prompt + outcome.fix.answer) }
      lines.append("does not hold: \(text)")
    }
    lines.append(
      "fixes        \(evaluation.held) of \(evaluation.outcomes.count) hold "
        + "(\(evaluation.heldBefore) before), \(counted(tokens, "token")), "
        + counted(rounds.count - 1, "round"))
    if evaluation.paraphrases > 0 {
      lines.append(
        "paraphrases  \(evaluation.paraphrasesHeld) of \(evaluation.paraphrases) hold "
          + "(\(evaluation.paraphrasesHeldBefore) before)")
    }
    if let kept = evaluation.kept {
      lines.append(
        "kept texts   \(fixed(100 * kept.share, 2))% of \(counted(kept.tokens, "next token")) "
          + "changed, perplexity \(fixed(kept.perplexity, 3)) "
          + "(\(fixed(kept.perplexityBefore, 3)) before)")
    }
    lines.append(
      "\(output): \(counted(neurons, "neuron")) of \(counted(layers.count, "layer")), "
        + "\(mebibytes(bytes)), \(fixed(seconds, 1)) s")
    return lines.joined(separator: "\n")
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("fixes", evaluation.outcomes.count)
      json.member("held", evaluation.held)
      json.member("held_before", evaluation.heldBefore)
      json.member("tokens", tokens)
      json.member("paraphrases", evaluation.paraphrases)
      json.member("paraphrases_held", evaluation.paraphrasesHeld)
      json.member("paraphrases_held_before", evaluation.paraphrasesHeldBefore)
      if let kept = evaluation.kept {
        json.key("kept")
        json.object {
          json.member("texts", kept.texts)
          json.member("tokens", kept.tokens)
          json.member("changed", kept.changed)
          json.member("changed_share", kept.share)
          json.member("perplexity", kept.perplexity)
          json.member("perplexity_before", kept.perplexityBefore)
        }
      }
      json.key("rounds")
      json.array {
        for round in rounds {
          json.object {
            json.member("open", round.open)
            json.member("least_gap", round.least)
          }
        }
      }
      json.member("layers", layers)
      json.member("neurons", neurons)
      json.key("outcomes")
      json.array { for outcome in evaluation.outcomes { json.write(outcome) } }
      json.member("bytes", bytes)
      json.member("seconds", seconds, decimals: 3)
    }
  }
}

extension RepairEvaluation.Kept {
  /// The share of next tokens that changed.
  var share: Double { Double(changed) / Double(max(1, tokens)) }
}

extension RepairEvaluation.Outcome: JSONValue {
  package func write(to json: JSONWriter) {
    json.object {
      json.member("prompt", fix.prompt)
      json.member("answer", fix.answer)
      json.member("holds", holds)
      json.member("held_before", heldBefore)
      json.member("logprob", logProbability)
      json.member("logprob_before", logProbabilityBefore)
      json.member("paraphrases", fix.paraphrases.count)
      json.member("paraphrases_held", paraphrases)
      json.member("paraphrases_held_before", paraphrasesBefore)
    }
  }
}
