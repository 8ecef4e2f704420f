package import VDSQFormat
package import VDSQInference

/// The inputs of a layer for texts: the states of the layers below it, at every token. Training does
/// not change these layers, so each text passes through them once.
///
/// The states are kept if there are few of them; otherwise training sees most texts only once or
/// twice, and they are computed again.
package final class LayerInputs {
  /// The number of tokens of each text.
  package let lengths: [Int]
  private let texts: [String]
  private let layer: Int
  private let encoder: TextEncoder
  /// A row for each token, and the first row of each text.
  private var kept: (rows: StateRows, starts: [Int])?

  /// Whether the states of so many tokens are kept.
  private static func areKept(_ tokens: Int) -> Bool {
    tokens <= Hyperparameters.Finetuning.mostKeptTokens
  }

  /// The number of bytes that are kept at most, of texts of at most so many tokens.
  package static func bytes(texts: Int, longest: Int, hiddenSize: Int) -> Int {
    StateRows.Builder.bytes(
      rows: min(Hyperparameters.Finetuning.mostKeptTokens, texts * longest), columns: hiddenSize)
  }

  /// - Parameter layer: the layer whose inputs are needed; 0 for the embeddings.
  package init(_ texts: [String], layer: Int, encoder: TextEncoder) throws(VDSQError) {
    self.texts = texts
    self.layer = layer
    self.encoder = encoder
    lengths = texts.map { encoder.tokens(of: $0).count }
    let tokens = lengths.reduce(0, +), d = encoder.hiddenSize
    guard Self.areKept(tokens) else { return }
    var rows = StateRows.Builder(columns: d, capacity: tokens, kernels: encoder.kernels)
    var starts: [Int] = []
    for text in texts {
      starts.append(rows.count)
      let (ids, states) = try encoder.rawStates(of: text)
      states.withUnsafeBufferPointer {
        for token in ids.indices {
          rows.add($0.baseAddress! + (layer * ids.count + token) * d)
        }
      }
    }
    kept = (rows.finish(), starts)
  }

  /// Copies the inputs for a text.
  ///
  /// - Parameter to: `[tokens, hiddenSize]`.
  package func copy(_ text: Int, into to: UnsafeMutablePointer<Float>) throws(VDSQError) {
    let d = encoder.hiddenSize
    if let (rows, starts) = kept {
      for token in 0..<lengths[text] {
        rows.copy(starts[text] + token, first: d, into: to + token * d)
      }
      return
    }
    let (ids, states) = try encoder.rawStates(of: texts[text])
    states.withUnsafeBufferPointer {
      to.update(from: $0.baseAddress! + layer * ids.count * d, count: ids.count * d)
    }
  }
}
