package import VDSQStreams
package import VDSQTraining

/// The report of `vdsq classify --explain`: why a text got its label.
package struct ExplanationReport: Report {
  let explanation: Explanation
  /// The text that was explained.
  let source: String

  package init(_ explanation: Explanation, of text: String) {
    self.explanation = explanation
    source = text
  }

  private typealias Part = (key: String, title: String, leanings: [Explanation.Leaning])

  private var parts: [Part] {
    let change = explanation.change
    return [
      ("text", "the text leans to", explanation.text),
      ("label", "\(explanation.best.label) leans to", explanation.label),
      ("shared", "both lean to", explanation.shared),
      ("toward", "examples pull to \(change?.labels?.toward ?? "these")", change?.toward ?? []),
      ("away", "and away from \(change?.labels?.away ?? "those")", change?.away ?? []),
    ]
  }

  package var text: String {
    let best = explanation.best
    var lines = [
      "\(best.label)\t\(fixed(Double(best.probability), 4))\t\(LineText.escaped(source))"
    ]
    for part in parts where !part.leanings.isEmpty {
      let list = part.leanings.map {
        "\(LineText.escaped($0.token)) \(fixed(Double($0.cosine), 2))"
      }
      lines.append("  \(padded(part.title, 34))  \(list.joined(separator: ", "))")
    }
    for label in explanation.labels.prefix(3) {
      let before = fixed(Double(label.probabilityByWords), 2)
      let after =
        explanation.hasAdapter ? ", with examples \(fixed(Double(label.probability), 2))" : ""
      lines.append("  \(padded(label.label, 34))  by its words \(before)\(after)")
    }
    return lines.joined(separator: "\n")
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("label", explanation.best.label)
      json.member("probability", explanation.best.probability)
      json.key("leanings")
      json.object {
        for part in parts {
          json.key(part.key)
          json.array { for leaning in part.leanings { Self.write(leaning, to: json) } }
        }
      }
      json.key("labels")
      json.array { for label in explanation.labels { Self.write(label, to: json) } }
    }
  }

  static func write(_ leaning: Explanation.Leaning, to json: JSONWriter) {
    json.object {
      json.member("token", leaning.token)
      json.member("cosine", leaning.cosine)
    }
  }

  private static func write(_ label: Explanation.LabelScore, to json: JSONWriter) {
    json.object {
      json.member("label", label.label)
      json.member("cosine", label.cosine)
      json.member("by_words", label.probabilityByWords)
      json.member("probability", label.probability)
    }
  }
}
