package import VDSQFormat
package import VDSQInference

/// The states of texts behind every layer, as the next layer reads them: one for each text.
package struct LayerStates {
  /// Which tokens' states are a text's.
  package enum Tokens: String, Sendable, CaseIterable {
    /// `mean`: the mean over all tokens; of a causal model over all but the first, whose states are
    /// unlike all others. `last`: that of the last token. `own`: what the model reads: pooled, at
    /// the mask, or that of the last token.
    case mean, last, own
  }

  /// One matrix for each layer, the embeddings first: `[texts, hidden size]`.
  package let layers: [FeatureMatrix]

  /// Runs a model over texts.
  ///
  /// - Parameter advance: called with the number of texts that have passed through the model.
  /// - Throws: `badInput` if the model fails, or its states are not finite; `usage` for the tokens
  ///   `own` of a model with several poolings.
  package init(
    _ texts: [String], encoder: TextEncoder, tokens: Tokens, advance: (Int) -> Void
  ) throws(VDSQError) {
    let d = encoder.hiddenSize
    var builders = (0...encoder.layers).map { _ in
      StateRows.Builder(columns: d, capacity: texts.count, kernels: encoder.kernels)
    }
    for (index, text) in texts.enumerated() {
      let pooled = try Array(text.utf8).withBytes { (raw) throws(VDSQError) -> [Float] in
        tokens == .own
          ? try encoder.pooledRawStates(of: raw) : try Self.states(raw, encoder, tokens)
      }
      guard pooled.allSatisfy(\.isFinite) else {
        throw .badInput("\(encoder.container.path): the model's states are not finite")
      }
      pooled.withUnsafeBufferPointer {
        for layer in builders.indices { builders[layer].add($0.baseAddress! + layer * d) }
      }
      advance(index + 1)
    }
    layers = builders.map { FeatureMatrix($0.finish(), layout: .init(blockSize: d)) }
  }

  /// The maximum number of bytes of all matrices.
  package static func bytes(texts: Int, layers: Int, columns: Int) -> Int {
    (layers + 1) * StateRows.Builder.bytes(rows: texts, columns: columns)
  }

  /// `[layers + 1, hidden size]`.
  private static func states(
    _ text: UnsafeRawBufferPointer, _ encoder: TextEncoder, _ tokens: Tokens
  ) throws(VDSQError) -> [Float] {
    let (ids, states) = try encoder.rawStates(of: text)
    let d = encoder.hiddenSize, count = ids.count
    var means = [Float](repeating: 0, count: (encoder.layers + 1) * d)
    guard count > 0 else { return means }
    let isCausal = encoder.kind == .causal
    let read = tokens == .last ? count - 1..<count : (isCausal ? min(1, count - 1) : 0)..<count
    states.withUnsafeBufferPointer { states in
      means.withUnsafeMutableBufferPointer { means in
        for layer in 0...encoder.layers {
          for token in read {
            encoder.kernels.addScaled(
              1 / Float(read.count), states.baseAddress! + (layer * count + token) * d, d,
              means.baseAddress! + layer * d)
          }
        }
      }
    }
    return means
  }
}
