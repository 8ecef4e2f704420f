import CShims

/// Disentangled logits: the cosines between a state and the anchors of a label set, their
/// probabilities and gradients (docs/vocabulary-semantics.md; arXiv 2401.16184).
public enum CosineLogits {
  /// `softmax(cosines / temperature)` in place.
  public static func softmax(_ logits: inout [Float], temperature: Float) {
    var largest = -Float.infinity
    for logit in logits where logit > largest { largest = logit }
    var total: Float = 0
    for i in logits.indices {
      logits[i] = vdsq_expf((logits[i] - largest) / temperature)
      total += logits[i]
    }
    for i in logits.indices { logits[i] /= total }
  }

  /// The gradient of `-log softmax(cosines / temperature)[target]` with respect to the state, in
  /// closed form:
  ///
  ///     dL/dh = (1/tau) sum_v (p_v - [v = y]) (s_v - l_v h/|h|) / |h|
  ///
  /// - Parameters:
  ///   - state: `dimensions` floats, not all zero.
  ///   - cosines: the state's cosine to each anchor.
  ///   - probabilities: `softmax(cosines / temperature)`.
  ///   - gradient: receives `dimensions` floats.
  public static func gradient(
    state: UnsafePointer<Float>, labels: LabelSet, cosines: [Float], probabilities: [Float],
    target: Int, temperature: Float, into gradient: UnsafeMutablePointer<Float>
  ) {
    let d = labels.dimensions
    let norm = length(state, d)
    for j in 0..<d { gradient[j] = 0 }
    var alongState: Float = 0
    labels.anchors.withUnsafeBufferPointer { anchors in
      for v in 0..<labels.count {
        let weight = probabilities[v] - (v == target ? 1 : 0)
        alongState += weight * cosines[v]
        let anchor = anchors.baseAddress! + v * d
        for j in 0..<d { gradient[j] += weight * anchor[j] }
      }
    }
    let scale = 1 / (temperature * norm)
    for j in 0..<d { gradient[j] = (gradient[j] - alongState * state[j] / norm) * scale }
  }
}
