import VDSQFiles
import VDSQInference
import VDSQTraining

/// An explanation as lines for a person, or as a JSON object.
struct ExplanationText {
  let explanation: Explanation

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

  /// - Parameter text: what was explained.
  func lines(for text: String) -> String {
    let best = explanation.best
    var out = "\(best.label)\t\(fixed(Double(best.probability), 4))\t\(LineText.escaped(text))\n"
    for part in parts where !part.leanings.isEmpty {
      let list = part.leanings.map {
        "\(LineText.escaped($0.token)) \(fixed(Double($0.cosine), 2))"
      }
      out += "  \(padded(part.title, 34))  \(list.joined(separator: ", "))\n"
    }
    for label in explanation.labels.prefix(3) {
      let before = fixed(Double(label.probabilityByWords), 2)
      let after =
        explanation.hasAdapter ? ", with examples \(fixed(Double(label.probability), 2))" : ""
      out += "  \(padded(label.label, 34))  by its words \(before)\(after)\n"
    }
    return out
  }

  /// A JSON object and a line end.
  var object: String {
    let leanings = parts.map { part in
      let list = part.leanings.map {
        "{\"token\": \(Provenance.quoted($0.token)), \"cosine\": \($0.cosine)}"
      }
      return "\"\(part.key)\": [\(list.joined(separator: ", "))]"
    }
    let labels = explanation.labels.map {
      "{\"label\": \(Provenance.quoted($0.label)), \"cosine\": \($0.cosine), "
        + "\"by_words\": \($0.probabilityByWords), \"probability\": \($0.probability)}"
    }
    return "{\"label\": \(Provenance.quoted(explanation.best.label)), "
      + "\"probability\": \(explanation.best.probability), "
      + "\"leanings\": {\(leanings.joined(separator: ", "))}, "
      + "\"labels\": [\(labels.joined(separator: ", "))]}\n"
  }
}
