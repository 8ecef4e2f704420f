/// The result of a classifier for one state: the cosine and the probability of each label, and the
/// ranking of the most probable labels.
package struct LabelScores: Sendable {
  /// The cosine of the state to the anchor of each label, from -1 to 1; the logits of a model's own
  /// head.
  package internal(set) var cosines: [Float]
  /// The probability of each label: `softmax(logits / temperature)`. A model's own head may have
  /// another function.
  package internal(set) var probabilities: [Float]
  /// Indices of labels, the most probable first. Only the requested number of them is in order.
  package internal(set) var ranking: [Int]
  /// The state, as a residual module moved it.
  var state: [Float]
  /// Scratch memory of the head. It is never empty, so that it has an address.
  var scratch: [Float]

  /// The index of the most probable label.
  package var best: Int { ranking[0] }

  init(labels: Int, dimensions: Int, scratch: Int) {
    cosines = [Float](repeating: 0, count: labels)
    probabilities = cosines
    ranking = Array(0..<labels)
    state = [Float](repeating: 0, count: dimensions)
    self.scratch = [Float](repeating: 0, count: max(1, scratch))
  }

  /// Makes all labels equally probable, in their order.
  ///
  /// - Parameter isChoice: whether one label is right; otherwise none is.
  package mutating func setEqual(isChoice: Bool = true) {
    for i in ranking.indices {
      (ranking[i], cosines[i], probabilities[i]) = (i, 0, isChoice ? 1 / Float(ranking.count) : 0)
    }
  }

  /// Moves the most probable labels to the front by a selection, because label sets are small.
  /// Among equally probable labels the earlier one comes first.
  mutating func rank(_ top: Int) {
    for place in 0..<min(top, ranking.count) {
      var best = place
      for i in place + 1..<max(place + 1, ranking.count)
      where probabilities[ranking[i]] > probabilities[ranking[best]]
        || (probabilities[ranking[i]] == probabilities[ranking[best]]
          && ranking[i] < ranking[best])
      { best = i }
      ranking.swapAt(place, best)
    }
  }
}
