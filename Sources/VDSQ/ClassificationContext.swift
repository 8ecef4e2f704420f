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
  /// The logits of the hypotheses of pending texts that were computed, text by text.
  private var logits: [Float] = []

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
  package var hasRoom: Bool {
    // Hypotheses go through the model whenever its batch is full.
    classifier.entailment == nil ? encoder.hasRoom : pending.count < Self.mostTexts
  }

  /// The most texts whose hypotheses wait together.
  private static let mostTexts = 64

  /// Texts in the batch.
  package var count: Int { pending.count }

  /// Adds a text to the batch, which must have room.
  ///
  /// - Parameters:
  ///   - text: UTF-8. Invalid sequences become U+FFFD.
  ///   - isCut: whether the end of the text is missing already.
  /// - Throws: `usage` if a hypothesis leaves no room for a text; `badInput` if the model's weights
  ///   cannot be read.
  package func add(
    _ text: UnsafeRawBufferPointer, isCut: Bool = false
  ) throws(VDSQError) -> TokenCount {
    if pending.isEmpty { follow() }
    let added =
      if let entailment = classifier.entailment { try addHypotheses(entailment, of: text) } else {
        template.add(text, to: encoder)
      }
    let count = TokenCount(
      tokens: added.tokens, isTruncated: isCut || added.isCut, isBlank: added.isBlank)
    pending.append(count)
    return count
  }

  /// Adds a pair of texts to the batch, which must have room.
  ///
  /// - Throws: `usage` if the classifier is not the model's own head, or reads no pairs.
  package func add(
    _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, isCut: Bool = false
  ) throws(VDSQError) -> TokenCount {
    if pending.isEmpty { follow() }
    guard classifier.modelHead != nil, classifier.labels.template == nil else {
      throw .usage("pairs of texts are read by a model's own head, without labels and templates")
    }
    let added = try encoder.add(first, second)
    let count = TokenCount(
      tokens: added.tokens, isTruncated: isCut || added.truncated,
      isBlank: BlankText.isBlank(first) && BlankText.isBlank(second))
    pending.append(count)
    return count
  }

  /// Adds the pairs of a text and each label's hypothesis.
  private func addHypotheses(
    _ entailment: Entailment, of text: UnsafeRawBufferPointer
  ) throws(VDSQError) -> (tokens: Int, isCut: Bool, isBlank: Bool) {
    guard !BlankText.isBlank(text) else { return (0, false, true) }
    var (tokens, isCut) = (0, false)
    for hypothesis in entailment.hypotheses {
      if !encoder.hasRoom { try computeLogits() }
      let added = try hypothesis.withBytes { (hypothesis) throws(VDSQError) in
        try encoder.add(text, hypothesis, cut: .onlyFirst)
      }
      tokens += added.tokens
      if added.truncated { isCut = true }
    }
    return (tokens, isCut, false)
  }

  /// Runs the model over the hypotheses of its batch.
  private func computeLogits() throws(VDSQError) {
    try encoder.encode { (_, state) throws(VDSQError) in
      logits.append(classifier.logit(state, &scores))
    }
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
  ///   - observer: sees the states of texts that are not blank.
  ///   - body: called for each text, in order, with its tokens, the labels and its scores.
  package func classify(
    top: Int, observer: StateObserver? = nil,
    _ body: (TokenCount, LabelSet, LabelScores) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    guard !pending.isEmpty else { return }
    if classifier.entailment != nil { return try classifyByHypotheses(top: top, body) }
    try states.encode { (index, state, words) throws(VDSQError) in
      if pending[index].isBlank {
        scores.setEqual(isChoice: classifier.isChoice)
      } else {
        classifier.classify(state, words: words, top: top, into: &scores)
      }
      try body(pending[index], classifier.labels, scores)
      if !pending[index].isBlank { try observer?.see(state, classifier.labels.dimensions) }
    }
    pending.removeAll(keepingCapacity: true)
  }

  private func classifyByHypotheses(
    top: Int, _ body: (TokenCount, LabelSet, LabelScores) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    try computeLogits()
    var start = 0
    for text in pending {
      if text.isBlank {
        scores.setEqual(isChoice: classifier.isChoice)
      } else {
        let end = start + classifier.labels.count
        classifier.classify(logits: logits[start..<end], top: top, into: &scores)
        start = end
      }
      try body(text, classifier.labels, scores)
    }
    logits.removeAll(keepingCapacity: true)
    pending.removeAll(keepingCapacity: true)
  }

  /// Whether answers have logits, and not cosines.
  package var hasLogits: Bool { classifier.hasLogits }

  /// The probability from which each label is given; nil if the most probable one is the answer.
  package var thresholds: [Float]? { classifier.thresholds }

  /// Whether answers are values, and no probabilities.
  package var answersWithValues: Bool { classifier.answersWithValues }

  /// The labels of the next batch, unless the adapter's file changes.
  package var labels: LabelSet { classifier.labels }
}
