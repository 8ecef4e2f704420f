import VDSQFormat
import VDSQInference
package import VDSQSemantics

/// The working memory of one caller of a `TextClassifier`: a batch of texts, an arena, and buffers
/// for results. Classification does not allocate after the first batches.
package final class ClassificationContext {
  private let encoder: TextEncoder
  /// The shared classifier; nil if the context has its own encoder.
  private let owner: TextClassifier?
  private var classifier: Classifier
  private var revision: Int
  private var scores: LabelScores
  private var states: TextStates
  /// The template around texts.
  private var template: TextTemplate
  private var pending: [TokenCount] = []

  init(encoder: TextEncoder, owner: TextClassifier) throws(VDSQError) {
    self.encoder = encoder
    self.owner = owner
    (classifier, revision) = owner.classifier
    states = try TextStates(classifier.labels, encoder: encoder)
    template = try TextTemplate(classifier.labels.template, encoder: encoder)
    scores = classifier.makeScores()
  }

  /// A context over its own encoder.
  init(encoder: TextEncoder, classifier: Classifier) throws(VDSQError) {
    self.encoder = encoder
    owner = nil
    (self.classifier, revision) = (classifier, 0)
    states = try TextStates(classifier.labels, encoder: encoder)
    template = try TextTemplate(classifier.labels.template, encoder: encoder)
    scores = classifier.makeScores()
  }

  /// Returns the encoder to the pool. The context must not be used afterwards.
  package func end() { owner?.take(back: encoder) }

  /// Whether a text of any length still fits into the batch.
  package var hasRoom: Bool { encoder.hasRoom }

  /// Texts in the batch.
  package var count: Int { pending.count }

  /// Adds a text to the batch, which must have room.
  ///
  /// - Parameters:
  ///   - text: UTF-8. Invalid sequences become U+FFFD.
  ///   - isCut: whether the end of the text is missing already.
  package func add(_ text: UnsafeRawBufferPointer, isCut: Bool = false) -> TokenCount {
    if pending.isEmpty { follow() }
    let added = template.add(text, to: encoder)
    let count = TokenCount(
      tokens: added.tokens, isTruncated: isCut || added.isCut, isBlank: added.isBlank)
    pending.append(count)
    return count
  }

  /// Takes over a classifier whose files changed. The batch must be empty, because the model may
  /// read label words.
  private func follow() {
    guard let owner else { return }
    owner.follow(encoder)
    let (newest, revision) = owner.classifier
    // `TextClassifier.follow` has checked the template.
    guard revision != self.revision,
      let around = try? TextTemplate(newest.labels.template, encoder: encoder),
      let states = try? TextStates(newest.labels, encoder: encoder)
    else { return }
    self.states = states
    (classifier, self.revision) = (newest, revision)
    (template, scores) = (around, newest.makeScores())
  }

  /// Classifies the batch and empties it. All labels of a blank text are equally probable.
  ///
  /// - Parameters:
  ///   - top: the number of labels to rank.
  ///   - body: called for each text, in order, with its tokens, the labels and its scores.
  package func classify(
    top: Int, _ body: (TokenCount, LabelSet, LabelScores) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    guard !pending.isEmpty else { return }
    try states.encode { (index, state, words) throws(VDSQError) in
      if pending[index].isBlank {
        scores.setEqual()
      } else {
        classifier.classify(state, words: words, top: top, into: &scores)
      }
      try body(pending[index], classifier.labels, scores)
    }
    pending.removeAll(keepingCapacity: true)
  }

  /// The labels of the next batch, unless the adapter's file changes.
  package var labels: LabelSet { classifier.labels }
}
