import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics

/// Why a text got its label: which vocabulary bases its state leans to, which the label's anchor does, what both have
/// in common, and what examples changed.
final class Explainer {
  /// A basis and a cosine to it.
  typealias Leaning = (token: String, cosine: Float)

  private let bases: ExplanationBases
  private let encoder: TextEncoder
  private let adapter: Adapter?
  private let classifier: Classifier
  /// By the labels' words alone, of the model's vector alone.
  private let words: Classifier
  private let json: Bool
  /// Numbers of a state that are the model's vector.
  private let columns: Int
  /// Cosines of labels' anchors to the bases.
  private var anchors: [Int: [Float]] = [:]
  private static let count = 6

  init(
    bases: ExplanationBases, encoder: TextEncoder, adapter: Adapter?, classifier: Classifier,
    json: Bool
  ) throws(VDSQError) {
    self.bases = bases
    self.encoder = encoder
    self.adapter = adapter
    self.classifier = classifier
    self.json = json
    columns = encoder.dimensions / (encoder.intermediateFeatures.count + 1)
    words = try Classifier(labels: classifier.labels.prefix(columns), kernels: encoder.kernels)
  }

  /// An explanation of one state, as lines or as a JSON object.
  func explain(_ state: UnsafePointer<Float>, text: String) -> String {
    classifier.classify(state, top: classifier.labels.count)
    words.classify(state, top: classifier.labels.count)
    let best = classifier.ranking[0]
    let vector = Array(UnsafeBufferPointer(start: state, count: columns))
    let own = bases.cosines(vector)
    let label = anchor(best)
    let shared = zip(own, label).map { min($0, $1) }
    let change = change(best, vector)
    let away = change.map { bases.cosines($0.direction) }
    let parts: [(key: String, title: String, leanings: [Leaning])] = [
      ("text", "the text leans to", top(own)),
      ("label", "\(name(best)) leans to", top(label)),
      ("shared", "both lean to", top(shared)),
      ("toward", change.map { "examples pull to \($0.toward)" } ?? "", away.map { top($0) } ?? []),
      (
        "away", change.map { "and away from \($0.away)" } ?? "",
        away.map { top($0.map { -$0 }) } ?? []
      ),
    ]
    return json ? object(text, best, parts) : lines(text, best, parts)
  }

  private func name(_ label: Int) -> String { classifier.labels.names[label] }

  private func anchor(_ label: Int) -> [Float] {
    if let known = anchors[label] { return known }
    let d = columns
    let cosines = bases.cosines(Array(words.labels.anchors[label * d..<(label + 1) * d]))
    anchors[label] = cosines
    return cosines
  }

  private func top(_ cosines: [Float]) -> [Leaning] {
    var order: [Int] = []
    for i in cosines.indices {
      if order.count == Self.count, cosines[i] <= cosines[order[Self.count - 1]] { continue }
      let place = order.firstIndex { cosines[$0] < cosines[i] } ?? order.count
      order.insert(i, at: place)
      if order.count > Self.count { order.removeLast() }
    }
    return order.map { (bases.token($0), cosines[$0]) }
  }

  /// Where examples pull: what tells the label from the one that its words alone would have given, or from the next
  /// best; or where calibration moves the state.
  private func change(
    _ best: Int, _ vector: [Float]
  ) -> (toward: String, away: String, direction: [Float])? {
    guard let adapter, classifier.labels.count > 1 else { return nil }
    let other = words.ranking[0] == best ? classifier.ranking[1] : words.ranking[0]
    let d = adapter.labels.dimensions
    func difference(_ rows: [Float]) -> [Float] {
      (0..<columns).map { rows[best * d + $0] - rows[other * d + $0] }
    }
    switch adapter.correction {
    case .head(let head): return (name(best), name(other), difference(head.weights))
    case .kernel(let head, let kernel):
      // The gradient: centers pull as far as they are close and vote.
      var closeness = [Float](repeating: 0, count: kernel.count)
      kernel.closeness(vector, encoder.kernels, into: &closeness)
      var direction = difference(head.weights)
      for i in closeness.indices {
        let votes = kernel.votes[best * kernel.count + i] - kernel.votes[other * kernel.count + i]
        let pull = kernel.sharpness * closeness[i] * votes
        for j in 0..<columns {
          direction[j] += pull * halfToFloat(kernel.centers[i * columns + j])
        }
      }
      return (name(best), name(other), direction)
    case .neighbors(let neighbors):
      var means = [Float](repeating: 0, count: classifier.labels.count * d)
      for (example, target) in neighbors.targets.enumerated() {
        for j in 0..<d { means[target * d + j] += neighbors.states[example * d + j] }
      }
      return (name(best), name(other), difference(means))
    case .module(let module):
      let inner = (0..<module.rank).map { r in
        (0..<d).reduce(Float(0)) { $0 + module.down[r * d + $1] * vector[$1] }
      }
      let moved = (0..<d).map { j in
        (0..<module.rank).reduce(module.offset[j]) { $0 + inner[$1] * module.up[$1 * d + j] }
      }
      return ("these", "those", moved)
    }
  }

  private func lines(
    _ text: String, _ best: Int, _ parts: [(key: String, title: String, leanings: [Leaning])]
  ) -> String {
    var out =
      "\(name(best))\t\(fixed(Double(classifier.probabilities[best]), 4))\t\(LineText.escaped(text))\n"
    for part in parts where !part.leanings.isEmpty {
      let list = part.leanings.map {
        "\(LineText.escaped($0.token)) \(fixed(Double($0.cosine), 2))"
      }
      out += "  \(padded(part.title, 34))  \(list.joined(separator: ", "))\n"
    }
    for label in classifier.ranking.prefix(3) {
      let before = fixed(Double(words.probabilities[label]), 2)
      let after =
        adapter == nil ? "" : ", with examples \(fixed(Double(classifier.probabilities[label]), 2))"
      out += "  \(padded(name(label), 34))  by its words \(before)\(after)\n"
    }
    return out
  }

  private func object(
    _ text: String, _ best: Int, _ parts: [(key: String, title: String, leanings: [Leaning])]
  ) -> String {
    let leanings = parts.map { part in
      let list = part.leanings.map {
        "{\"token\": \(Provenance.quoted($0.token)), \"cosine\": \($0.cosine)}"
      }
      return "\"\(part.key)\": [\(list.joined(separator: ", "))]"
    }
    let labels = classifier.ranking.map { label in
      "{\"label\": \(Provenance.quoted(name(label))), \"cosine\": \(words.cosines[label]), "
        + "\"by_words\": \(words.probabilities[label]), "
        + "\"probability\": \(classifier.probabilities[label])}"
    }
    return "{\"label\": \(Provenance.quoted(name(best))), "
      + "\"probability\": \(classifier.probabilities[best]), "
      + "\"leanings\": {\(leanings.joined(separator: ", "))}, "
      + "\"labels\": [\(labels.joined(separator: ", "))]}\n"
  }
}
