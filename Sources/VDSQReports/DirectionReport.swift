import VDSQFormat
package import VDSQStreams
package import VDSQTraining

/// What `vdsq direction` found: the held-out AUC of each layer, and the words at both ends of each
/// direction.
package struct DirectionReport: Report {
  let directions: SemanticDirections
  /// For each direction, the words or tokens at its two ends, with cosines.
  let ends: [(toward: [Explanation.Leaning], away: [Explanation.Leaning])]
  let texts: Int
  let bytes: Int
  let output: String
  let seconds: Double

  /// - Parameter bases: the directions of words; nil for a model without any.
  package init(
    _ directions: SemanticDirections, bases: ExplanationBases?, texts: Int, output: String,
    bytes: Int, seconds: Double
  ) {
    self.directions = directions
    self.texts = texts
    (self.output, self.bytes, self.seconds) = (output, bytes, seconds)
    ends = directions.vectors.map { vector in
      guard let bases, bases.dimensions == vector.count else { return ([], []) }
      let cosines = bases.cosines(vector)
      return (bases.leanings(cosines), bases.leanings(cosines.map { -$0 }))
    }
  }

  package var text: String {
    var lines: [String] = []
    if !directions.areas.isEmpty {
      lines.append("AUC of held-out texts")
      for (layer, area) in directions.areas.enumerated() {
        lines.append(
          "  \(padded(layerName(layer), 12)) \(fixed(area, 4))\(layer == directions.layer ? "  *" : "")"
        )
      }
    }
    for (i, end) in ends.enumerated() {
      var title = "direction \(i + 1)"
      if i < directions.shares.count {
        let of = directions.method == .pca ? "of the variance" : "of the squared reaction"
        title += ", \(fixed(100 * Double(directions.shares[i]), 1))% \(of)"
      }
      lines.append(title)
      for (name, words) in [("toward", end.toward), ("away", end.away)] where !words.isEmpty {
        let shown = words.map {
          "\(LineText.escaped($0.token)) \(fixed(Double($0.cosine.magnitude), 3))"
        }
        lines.append("  \(padded(name, 7)) \(shown.joined(separator: ", "))")
      }
    }
    lines.append(
      "\(output): \(directions.method.rawValue), "
        + "\(layerName(directions.layer)), "
        + "\(counted(directions.vectors.count, "direction")), \(counted(texts, "text")), "
        + "\(bytes) bytes, \(fixed(seconds, 2)) s")
    return lines.joined(separator: "\n")
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("method", directions.method.rawValue)
      json.member("layer", directions.layer)
      json.member("texts", texts)
      json.member("auc", directions.areas)
      json.key("directions")
      json.array {
        for (i, end) in ends.enumerated() {
          json.object {
            json.member("offset", directions.offsets[i])
            json.member("share", i < directions.shares.count ? directions.shares[i] : nil)
            for (name, words) in [("toward", end.toward), ("away", end.away)] {
              json.key(name)
              json.array {
                for word in words { ExplanationReport.write(word, to: json) }
              }
            }
          }
        }
      }
      json.member("bytes", bytes)
      json.member("seconds", seconds, decimals: 3)
    }
  }
}
