/// The quantization error of a tensor: stored values compared with those of the checkpoint.
package struct QuantizationError: Sendable {
  /// The largest absolute difference.
  package let maxAbs: Float
  /// The root of the mean squared difference.
  package let rms: Float
  /// The cosine between the two tensors, flattened.
  package let cosine: Float

  /// Both differences are in units of the stored values; the cosine is in -1...1.
  package init(maxAbs: Float, rms: Float, cosine: Float) {
    self.maxAbs = maxAbs
    self.rms = rms
    self.cosine = cosine
  }
}
