import VDSQFormat
package import VDSQTraining

/// The page of `vdsq repair`: what holds and what else changed, and each fix before and after.
package struct RepairPage: Page {
  let title: String
  let evaluation: RepairEvaluation
  let rounds: [ModelRepair.Round]

  package init(title: String, _ evaluation: RepairEvaluation, rounds: [ModelRepair.Round]) {
    (self.title, self.evaluation, self.rounds) = (title, evaluation, rounds)
  }

  package var html: String {
    let body = """
      <h1>\(title.inHTML)</h1>
      \(summary)
      <h2>Fixes</h2>
      <p>The probability of the answer before and after the repair, on a logarithmic scale; a \
      filled dot if greedy decoding gives the answer.</p>
      \(fixes)
      <h2>Rounds</h2>
      <p>Answer tokens that do not beat their strongest rival by the margin, before each round, and \
      the least difference in logits.</p>
      \(roundTable)
      """
    return SVG.page(title, body, style: "td.text { white-space: normal; min-width: 14rem; }")
  }

  private var summary: String {
    var lines = [
      [
        "fixes that hold", "\(evaluation.held) of \(evaluation.outcomes.count)",
        "\(evaluation.heldBefore)",
      ]
    ]
    if evaluation.paraphrases > 0 {
      lines.append([
        "paraphrases that hold", "\(evaluation.paraphrasesHeld) of \(evaluation.paraphrases)",
        "\(evaluation.paraphrasesHeldBefore)",
      ])
    }
    if let kept = evaluation.kept {
      lines.append([
        "changed next tokens of kept texts",
        "\(fixed(100 * kept.share, 2))% of \(kept.tokens)", "",
      ])
      lines.append([
        "perplexity of kept texts", fixed(kept.perplexity, 3), fixed(kept.perplexityBefore, 3),
      ])
    }
    return table(["", "after", "before"], lines)
  }

  private var roundTable: String {
    table(
      ["round", "open tokens", "least difference"],
      rounds.enumerated().map { i, round in
        ["\(i)", "\(round.open)", fixed(Double(round.least), 2)]
      })
  }

  private func table(_ head: [String], _ lines: [[String]]) -> String {
    let rows = lines.map { "<tr>\($0.map { "<td>\($0.inHTML)</td>" }.joined())</tr>" }
    return """
      <div class="scroll"><table><thead><tr>\(head.map { "<th>\($0.inHTML)</th>" }.joined())\
      </tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      """
  }

  private var fixes: String {
    let rows = evaluation.outcomes.map { outcome in
      let count = outcome.fix.paraphrases.count
      return "<tr><td class=\"text\">\(outcome.fix.prompt.inHTML)"
        + "<b>\(outcome.fix.answer.inHTML)</b></td>"
        + "<td>\(change(outcome))</td>"
        + "<td>\(count > 0 ? "\(outcome.paraphrasesBefore) → \(outcome.paraphrases) of \(count)" : "")"
        + "</td></tr>"
    }
    return """
      <div class="scroll"><table id="fixes"><thead><tr><th>prompt and answer</th>\
      <th>probability</th><th>paraphrases</th></tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      """
  }

  /// A line from the probability before to that after, from 1e-6 to 1.
  private func change(_ outcome: RepairEvaluation.Outcome) -> String {
    func x(_ log: Double) -> Double { 6 + 128 * (1 + max(log / 13.8155, -1)) }
    func dot(_ log: Double, _ holds: Bool, _ colour: String) -> String {
      "<circle cx=\"\(fixed(x(log), 1))\" cy=\"9\" r=\"4.5\" stroke=\"\(colour)\" stroke-width=\"2\" "
        + "fill=\"\(holds ? colour : "none")\"/>"
    }
    let (before, after) = (outcome.logProbabilityBefore, outcome.logProbability)
    let title =
      "logarithm of the probability: \(fixed(before, 2)) before, \(fixed(after, 2)) after"
    return "<svg viewBox=\"0 0 140 18\" style=\"width: 140px\" role=\"img\" "
      + "aria-label=\"\(title)\"><title>\(title)</title>"
      + SVG.rule(6, 134, 9)
      + dot(before, outcome.heldBefore, SVG.colours[1]) + dot(after, outcome.holds, SVG.colours[0])
      + "</svg>"
  }
}
