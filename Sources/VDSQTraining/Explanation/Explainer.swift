package import VDSQFormat
package import VDSQInference
package import VDSQSemantics

/// Explains classifications in the model's own vocabulary.
///
///     let explainer = try Explainer(
///       bases: ExplanationBases(encoder: encoder), encoder: encoder, adapter: adapter,
///       classifier: classifier)
///     let explanation = explainer.explain(try encoder.vector(of: "I was charged twice"))
///     // explanation.shared: the words that the text and its label have in common.
///
/// Use it from one thread at a time.
package final class Explainer {
  private let bases: ExplanationBases
  private let encoder: TextEncoder
  private let adapter: Adapter?
  private let classifier: Classifier
  /// A zero-shot classifier: label words only, over the model's vector without intermediate
  /// features.
  private let words: Classifier
  /// The number of dimensions of the model's vector.
  private let columns: Int
  /// Cosines of labels' anchors to the bases.
  private var anchors: [Int: [Float]] = [:]

  /// - Parameters:
  ///   - adapter: the adapter of the classifier; nil for zero-shot.
  ///   - classifier: the classifier whose answers are explained.
  /// - Throws: the errors of making a classifier.
  package init(
    bases: ExplanationBases, encoder: TextEncoder, adapter: Adapter?, classifier: Classifier
  ) throws(VDSQError) {
    self.bases = bases
    self.encoder = encoder
    self.adapter = adapter
    self.classifier = classifier
    columns = FeatureMatrix.Layout(of: encoder).blockSize
    words = try Classifier(labels: classifier.labels.prefix(columns), kernels: encoder.kernels)
  }

  /// Explains the classification of a state.
  ///
  /// - Parameter state: `encoder.dimensions` floats.
  package func explain(_ state: [Float]) -> Explanation {
    state.withUnsafeBufferPointer { explain($0.baseAddress!) }
  }

  /// Explains the classification of a state.
  ///
  /// - Parameters:
  ///   - state: `encoder.dimensions` floats.
  ///   - continued: what `TextStates` gives for the text besides.
  package func explain(
    _ state: UnsafePointer<Float>, words continued: UnsafePointer<Float>? = nil
  ) -> Explanation {
    let scores = classifier.scores(of: state, words: continued, top: classifier.labels.count)
    let byWords = words.scores(of: state, words: continued, top: classifier.labels.count)
    let best = scores.best
    let vector = Array(UnsafeBufferPointer(start: state, count: columns))
    let own = bases.cosines(vector)
    let label = anchor(best)
    return Explanation(
      text: bases.leanings(own), label: bases.leanings(label),
      shared: bases.leanings(zip(own, label).map { min($0, $1) }),
      change: change(best, vector, scores, byWords),
      labels: scores.ranking.map { score($0, scores, byWords) },
      hasAdapter: adapter != nil)
  }

  private func name(_ label: Int) -> String { classifier.labels.names[label] }

  private func score(
    _ label: Int, _ scores: LabelScores, _ byWords: LabelScores
  ) -> Explanation.LabelScore {
    Explanation.LabelScore(
      label: name(label), cosine: byWords.cosines[label],
      probabilityByWords: byWords.probabilities[label], probability: scores.probabilities[label])
  }

  private func anchor(_ label: Int) -> [Float] {
    if let known = anchors[label] { return known }
    let d = columns
    let cosines = bases.cosines(Array(words.labels.anchors[label * d..<(label + 1) * d]))
    anchors[label] = cosines
    return cosines
  }

  /// The influence of examples: the direction from the zero-shot label, or from the second best
  /// label, to the label of the text.
  private func change(
    _ best: Int, _ vector: [Float], _ scores: LabelScores, _ byWords: LabelScores
  ) -> Explanation.Change? {
    guard let adapter, let head = adapter.head, classifier.labels.count > 1 else { return nil }
    let other = byWords.best == best ? scores.ranking[1] : byWords.best
    let cosines = bases.cosines(
      head.direction(
        toward: best, awayFrom: other, at: vector, columns: columns,
        dimensions: adapter.labels.dimensions, kernels: encoder.kernels))
    let labels =
      head.movesStates ? nil : Explanation.Change.Labels(toward: name(best), away: name(other))
    return Explanation.Change(
      labels: labels, toward: bases.leanings(cosines), away: bases.leanings(cosines.map { -$0 }))
  }
}
