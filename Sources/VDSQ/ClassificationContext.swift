internal import VDSQFormat
internal import VDSQInference
package import VDSQSemantics

/// How many tokens a text has, and whether it was cut.
package struct TokenCount: Sendable {
  /// Tokens, those that the model adds included.
  package let tokens: Int
  /// Whether the text was cut to the longest sequence.
  package let isTruncated: Bool
}

/// What one caller of a `TextClassifier` works in: a batch of texts, an arena, and room for results.
/// Classifying allocates nothing once the first batches have gone through.
package final class ClassificationContext {
  private let encoder: TextEncoder
  /// Nil for a classifier that nobody shares.
  private let owner: TextClassifier?
  private var classifier: Classifier
  private var revision: Int
  private var scores: LabelScores
  /// A template around texts.
  private let template: Template?
  private var pending: [TokenCount] = []
  private var filled: [UInt8] = []

  init(encoder: TextEncoder, template: Template?, owner: TextClassifier) {
    self.encoder = encoder
    self.owner = owner
    self.template = template.flatMap { $0.aroundTexts ? $0 : nil }
    (classifier, revision) = owner.classifier
    scores = classifier.makeScores()
  }

  /// A context over an encoder of one's own.
  init(encoder: TextEncoder, classifier: Classifier) {
    self.encoder = encoder
    owner = nil
    template = nil
    (self.classifier, revision) = (classifier, 0)
    scores = classifier.makeScores()
  }

  /// Gives the encoder back; the context must not be used afterwards.
  package func end() { owner?.take(back: encoder) }

  /// Whether a text of any length still fits into the batch.
  package var hasRoom: Bool { encoder.hasRoom }

  /// Texts in the batch.
  package var count: Int { pending.count }

  /// Adds a text to the batch, which must have room.
  ///
  /// - Parameters:
  ///   - text: UTF-8; invalid sequences read as U+FFFD.
  ///   - isCut: whether the end of the text is missing already.
  package func add(_ text: UnsafeRawBufferPointer, isCut: Bool = false) -> TokenCount {
    var isTruncated = isCut
    let info: (tokens: Int, truncated: Bool)
    if let template {
      isTruncated = fill(template, text) || isTruncated
      info = filled.withUnsafeBytes { encoder.add($0) }
    } else {
      info = encoder.add(text)
      isTruncated = info.truncated || isTruncated
    }
    let count = TokenCount(tokens: info.tokens, isTruncated: isTruncated)
    pending.append(count)
    return count
  }

  /// Classifies the batch and empties it.
  ///
  /// - Parameters:
  ///   - top: how many labels the rankings are to have in order.
  ///   - body: called with each text's tokens, the labels, and the text's scores, in order.
  package func classify(
    top: Int, _ body: (TokenCount, LabelSet, LabelScores) -> Void
  ) throws(VDSQError) {
    guard !pending.isEmpty else { return }
    if let owner {
      try owner.follow(encoder)
      let (newest, revision) = owner.classifier
      if revision != self.revision {
        (classifier, self.revision) = (newest, revision)
        scores = newest.makeScores()
      }
    }
    try encoder.encode { index, state in
      classifier.classify(state, top: top, into: &scores)
      body(pending[index], classifier.labels, scores)
    }
    pending.removeAll(keepingCapacity: true)
  }

  /// The labels that the next batch is classified by, unless an adapter's file changes.
  package var labels: LabelSet { classifier.labels }

  /// Puts the template around as much of a text as leaves room for what follows it.
  ///
  /// - Returns: whether the text was cut.
  private func fill(_ template: Template, _ text: UnsafeRawBufferPointer) -> Bool {
    template.fill(text, into: &filled)
    if filled.withUnsafeBytes({ encoder.fits($0) }) { return false }
    var fitting = 0
    var tooLong = text.count
    while tooLong - fitting > 1 {
      let middle = (fitting + tooLong) / 2
      template.fill(UnsafeRawBufferPointer(rebasing: text[..<middle]), into: &filled)
      if filled.withUnsafeBytes({ encoder.fits($0) }) { fitting = middle } else { tooLong = middle }
    }
    // Not in the middle of a scalar.
    while fitting > 0, text[fitting] & 0xC0 == 0x80 { fitting -= 1 }
    template.fill(UnsafeRawBufferPointer(rebasing: text[..<fitting]), into: &filled)
    return true
  }
}
