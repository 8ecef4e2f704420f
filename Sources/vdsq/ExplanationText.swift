import VDSQStreams
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

  /// - Parameter text: the text that was explained.
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
    JSONWriter.string { json in
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
    } + "\n"
  }

  private static func write(_ leaning: Explanation.Leaning, to json: JSONWriter) {
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
