import VDSQFormat
package import VDSQStreams
package import VDSQTraining

/// The words that `vdsq adapt --words` found for each label, and how well they classify.
package struct WordRuleReport: Report {
  let rule: LabelWordSearch.Rule
  let output: String
  let seconds: Double

  package init(_ rule: LabelWordSearch.Rule, output: String, seconds: Double) {
    self.rule = rule
    (self.output, self.seconds) = (output, seconds)
  }

  package var text: String {
    let width = rule.labels.map(\.name.count).max() ?? 0
    let lines = rule.labels.map { label in
      "\(padded(label.name, width))  \(label.words.joined(separator: ", "))"
    }
    return (lines + [
      "",
      "accuracy on \(counted(rule.heldOut, "held-out example")): words \(fixed(rule.words, 4)), "
        + "labels as given \(fixed(rule.given, 4)), trained on the other half "
        + fixed(rule.learned, 4),
      "\(output): \(counted(rule.labels.count, "label")), \(fixed(seconds, 2)) s",
    ]).joined(separator: "\n")
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.key("labels")
      json.object { for label in rule.labels { json.member(label.name, label.words) } }
      json.member("held_out", rule.heldOut)
      json.member("accuracy_words", rule.words)
      json.member("accuracy_given", rule.given)
      json.member("accuracy_learned", rule.learned)
    }
  }
}
