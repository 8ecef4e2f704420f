public import VDSQFormat
package import VDSQInference

/// Computes vectors of texts: embeddings of a sentence encoder, or states of a language model.
///
///     let embedder = try TextEmbedder(model: try Model(path: "minilm.vdsq"))
///     let vectors = try embedder.embed(["one text", "another"])  // 2 arrays of 384 floats
///
/// An embedder can be used from several threads. `RunOptions.concurrency` is the number of threads
/// that are served at a time. All share the model's map.
public final class TextEmbedder: @unchecked Sendable {
  private let pool: EncoderPool

  /// The number of dimensions of a vector.
  public let dimensions: Int
  /// The maximum number of tokens of a text; longer texts are truncated.
  public let maximumTokens: Int

  /// - Throws: `usage` for options out of range, `badInput` for a model that cannot be run,
  ///   `budgetTooSmall` if the memory budget does not suffice.
  public init(model: Model, options: RunOptions = RunOptions()) throws(VDSQError) {
    pool = try EncoderPool(model, options, adapter: nil, more: 0)
    let encoder = try pool.take()
    (dimensions, maximumTokens) = (encoder.dimensions, encoder.maximumTokens)
    pool.give(encoder)
    pool.settle()
  }

  /// Embeds texts.
  ///
  /// - Parameter texts: any number of texts. Texts longer than the longest sequence are truncated.
  /// - Returns: one vector of `dimensions` floats per text, in order; of length 1 if the model's
  ///   configuration normalizes.
  /// - Throws: `badInput` if the model's weights cannot be read, or make numbers that are not
  ///   finite.
  public func embed(_ texts: [String]) throws(VDSQError) -> [[Float]] {
    let encoder = try pool.take()
    defer { pool.give(encoder) }
    var vectors: [[Float]] = []
    vectors.reserveCapacity(texts.count)
    func flush() throws(VDSQError) {
      try encoder.encode { _, vector in
        vectors.append(Array(UnsafeBufferPointer(start: vector, count: dimensions)))
      }
    }
    for text in texts {
      if !encoder.hasRoom { try flush() }
      var text = text
      _ = text.withUTF8 { encoder.add(UnsafeRawBufferPointer($0)) }
    }
    try flush()
    return vectors
  }

  /// Embeds one text.
  ///
  /// - Throws: `badInput` if the model's weights cannot be read, or make numbers that are not
  ///   finite.
  public func embed(_ text: String) throws(VDSQError) -> [Float] { try embed([text])[0] }

  /// Calls `body` with an encoder for exclusive use.
  package func withEncoder<Result>(
    _ body: (TextEncoder) throws(VDSQError) -> Result
  ) throws(VDSQError) -> Result {
    let encoder = try pool.take()
    defer { pool.give(encoder) }
    return try body(encoder)
  }
}
