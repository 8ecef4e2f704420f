package import VDSQFormat
package import VDSQInference

/// Runs token sequences through a decoder, and shows the states before the final norm and the
/// inputs of the down projections of some layers, which are the keys of their neurons (Geva et al.
/// 2021).
package final class KeyReader {
  private let encoder: TextEncoder
  /// The layers whose keys are shown, from 0.
  package let layers: [Int]
  private var batch = TokenBatch()
  private let states: Floats
  private var show: ((_ place: Int, _ row: Int, _ keys: UnsafePointer<Float>) -> Void)?

  /// - Parameter encoder: a causal model with one thread.
  package init(_ encoder: TextEncoder, layers: [Int]) {
    self.encoder = encoder
    self.layers = layers
    states = Floats(encoder.maximumTokens * encoder.hiddenSize)
    encoder.show(
      inputsTo: InputObserver { [unowned self] seen in
        guard seen.input == .feedForwardDown, let show,
          let place = layers.firstIndex(of: seen.layer)
        else { return }
        for row in seen.rows {
          show(place, row, seen.values + (row - seen.rows.lowerBound) * seen.stride)
        }
      })
  }

  /// Shows no more keys.
  package func end() { encoder.show(inputsTo: nil) }

  /// Reads a sequence.
  ///
  /// - Parameters:
  ///   - ids: one or more, no more than the encoder's `maximumTokens`.
  ///   - keys: called with the place of a layer in `layers`, a token's row, and its keys.
  /// - Returns: `[ids, hiddenSize]`, before the final norm; valid until the next call.
  package func read(
    _ ids: some Collection<Int32>,
    keys: (_ place: Int, _ row: Int, _ keys: UnsafePointer<Float>) -> Void = { _, _, _ in }
  ) throws(VDSQError) -> UnsafeMutablePointer<Float> {
    batch.removeAll()
    batch.ids.append(contentsOf: ids)
    batch.endSequence()
    defer { show = nil }
    let failure: VDSQError? = withoutActuallyEscaping(keys) { keys in
      show = keys
      defer { show = nil }
      do throws(VDSQError) {
        try encoder.rawTokenStates(of: batch, into: states.p)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
    return states.p
  }
}
