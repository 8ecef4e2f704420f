import CShims
package import VDSQFormat
package import VDSQInference

/// The states of texts as a classifier reads them: those of an encoder's batch, and what a causal
/// language model says about label words of several tokens.
package final class TextStates {
  private let encoder: TextEncoder
  private let continuations: WordContinuations?
  private let logits: VocabularyLogits?
  /// `[nodes]`: log Z of the state at each node.
  private var partition: [Float]
  /// `[words]`: the log-probability of each word after its first token.
  private var words: [Float]

  /// - Parameters:
  ///   - labels: the labels that the states will be compared with.
  ///   - encoder: an encoder that was opened for the words of the labels.
  /// - Throws: `badInput` if the model's head cannot be read.
  package convenience init(_ labels: LabelSet, encoder: TextEncoder) throws(VDSQError) {
    try self.init(labels.wordHead?.continuations, encoder: encoder)
  }

  package init(_ continuations: WordContinuations?, encoder: TextEncoder) throws(VDSQError) {
    self.encoder = encoder
    self.continuations = continuations
    logits =
      continuations == nil
      ? nil
      : VocabularyLogits(rows: try VocabularyRows(head: encoder), encoder: encoder, capacity: 1)
    partition = [Float](repeating: 0, count: continuations?.tree.nodes.count ?? 0)
    words = [Float](repeating: 0, count: continuations?.words ?? 0)
  }

  /// Calls `body` with each text of the encoder's batch, in order, and empties the batch.
  ///
  /// - Parameter body: called with the state of a text, and the log-probability of each label word
  ///   after its first token, `[words]`; nil if all words have one token.
  package func encode(
    _ body: (_ index: Int, _ state: UnsafePointer<Float>, _ words: UnsafePointer<Float>?)
      throws(VDSQError) -> Void
  ) throws(VDSQError) {
    guard let continuations, let logits else {
      return try encoder.encode { (index, state) throws(VDSQError) in
        try body(index, state, nil)
      }
    }
    let d = encoder.dimensions
    try encoder.encode(continuing: continuations.tree) { (index, state, nodes) throws(VDSQError) in
      logits.find(nodes, count: partition.count, temperature: 1) { node, best in
        partition[node] = best.value - vdsq_logf(best.probability)
      }
      for word in words.indices { words[word] = 0 }
      for step in continuations.steps {
        words[step.word] +=
          logits.logit(nodes + step.node * d, Int(step.token)) - partition[step.node]
      }
      try words.withUnsafeBufferPointer { (words) throws(VDSQError) in
        try body(index, state, words.baseAddress!)
      }
    }
  }
}
