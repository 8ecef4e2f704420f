public import VDSQFormat
public import VDSQInference

/// Labels with their anchors: the unit vectors that a text's state is compared with.
public struct LabelSet: Sendable {
  public let names: [String]
  public let dimensions: Int
  /// `[labels, dimensions]`, each row of length 1.
  public let anchors: [Float]

  public init(names: [String], dimensions: Int, anchors: [Float]) {
    self.names = names
    self.dimensions = dimensions
    self.anchors = anchors
  }

  public var count: Int { names.count }

  /// Anchors for a sentence encoder: the model's own encoding of each label's words, the mean of
  /// the unit vectors where there are several (design section 2.5).
  ///
  /// - Throws: `usage` for an empty or ambiguous list, `badInput` where the words of a label cancel
  ///   out or the model fails.
  public init(
    _ labels: [Label], encoder: TextEncoder, template: Template?
  ) throws(VDSQError) {
    let labels = try Label.checked(labels)
    let d = encoder.dimensions
    var anchors = [Float](repeating: 0, count: labels.count * d)
    var filled: [UInt8] = []
    for (i, label) in labels.enumerated() {
      for word in label.words {
        let bytes = Array(word.utf8)
        bytes.withUnsafeBytes { raw in
          if let template, !template.aroundTexts {
            template.fill(raw, into: &filled)
            filled.withUnsafeBytes { _ = encoder.add($0) }
          } else {
            encoder.add(raw)
          }
        }
        try encoder.encode { _, vector in
          let scale = 1 / length(vector, d)
          for j in 0..<d { anchors[i * d + j] += vector[j] * scale }
        }
      }
      let norm = anchors.withUnsafeBufferPointer { length($0.baseAddress! + i * d, d) }
      guard norm > 1e-6, norm.isFinite else {
        throw .badInput("labels: the words of \(label.name) have no common direction")
      }
      for j in 0..<d { anchors[i * d + j] /= norm }
    }
    names = labels.map { $0.name }
    dimensions = d
    self.anchors = anchors
  }
}

/// The Euclidean length of a vector.
public func length(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
  var sum: Float = 0
  for i in 0..<count { sum += x[i] * x[i] }
  return sum.squareRoot()
}
