package import VDSQFormat
package import VDSQInference

/// The states of texts as a classifier reads them: those of an encoder's batch, and what a language
/// model says about label words of several tokens.
package final class TextStates {
  private let encoder: TextEncoder
  private let longWords: LongWords?
  private let logits: VocabularyLogits?
  /// log Z of each state besides that of the text.
  private var partition: [Float]
  /// `[words]`: what is added to each word's score.
  private var words: [Float]

  /// - Parameters:
  ///   - labels: the labels that the states will be compared with.
  ///   - encoder: an encoder that was opened for the words of the labels.
  /// - Throws: `badInput` if the model's head cannot be read.
  package convenience init(_ labels: LabelSet, encoder: TextEncoder) throws(VDSQError) {
    try self.init(labels.wordHead?.longWords, encoder: encoder)
  }

  package init(_ longWords: LongWords?, encoder: TextEncoder) throws(VDSQError) {
    self.encoder = encoder
    self.longWords = longWords
    logits =
      longWords == nil
      ? nil
      : VocabularyLogits(rows: try VocabularyRows(head: encoder), encoder: encoder, capacity: 1)
    partition = [Float](repeating: 0, count: longWords?.size.nodes ?? 0)
    words = [Float](repeating: 0, count: longWords?.words ?? 0)
  }

  /// Calls `body` with each text of the encoder's batch, in order, and empties the batch.
  ///
  /// - Parameter body: called with the state of a text, and what `LabelWordsHead` adds to the score
  ///   of each label word, `[words]`; nil if all words have one token.
  package func encode(
    _ body: (_ index: Int, _ state: UnsafePointer<Float>, _ words: UnsafePointer<Float>?)
      throws(VDSQError) -> Void
  ) throws(VDSQError) {
    switch longWords {
    case nil:
      try encoder.encode { (index, state) throws(VDSQError) in try body(index, state, nil) }
    case .continued(let continuations):
      try encoder.encode(continuing: continuations.tree) {
        (index, state, nodes) throws(VDSQError) in
        score(continuations, nodes)
        try give(index, state, body)
      }
    case .masked(let masks):
      try encoder.encode(masks: masks.counts) { (index, state, filled) throws(VDSQError) in
        score(masks, state, filled)
        try give(index, state, body)
      }
    }
  }

  private func give(
    _ index: Int, _ state: UnsafePointer<Float>,
    _ body: (Int, UnsafePointer<Float>, UnsafePointer<Float>?) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    try words.withUnsafeBufferPointer { (words) throws(VDSQError) in
      try body(index, state, words.baseAddress!)
    }
  }

  /// The log-probability of each word after its first token.
  private func score(_ continuations: WordContinuations, _ nodes: UnsafePointer<Float>) {
    findPartition(nodes)
    for word in words.indices { words[word] = 0 }
    for step in continuations.steps {
      words[step.word] +=
        logits!.logit(nodes + step.node * encoder.dimensions, Int(step.token))
        - partition[step.node]
    }
  }

  /// The log-probability of each word of several tokens, and what makes that of the others of their
  /// logits.
  private func score(
    _ masks: WordMasks, _ state: UnsafePointer<Float>, _ filled: UnsafePointer<Float>
  ) {
    findPartition(filled)
    var own: Float = 0
    logits!.logPartition(state, count: 1, into: &own)
    for (word, tokens) in masks.words.enumerated() {
      words[word] = tokens.count > 1 ? 0 : -own
      guard tokens.count > 1 else { continue }
      let first = masks.firstState(tokens.count)
      for (place, token) in tokens.enumerated() {
        words[word] +=
          logits!.logit(filled + (first + place) * encoder.dimensions, Int(token))
          - partition[first + place]
      }
    }
  }

  private func findPartition(_ states: UnsafePointer<Float>) {
    partition.withUnsafeMutableBufferPointer {
      logits!.logPartition(states, count: $0.count, into: $0.baseAddress!)
    }
  }
}
