/// The memory layout of a row of quantized activations.
public enum ActivationLayout: Sendable {
  /// One byte per activation.
  case bytes
  /// Sixteen bits per activation, with the second and third of every four exchanged: operands of
  /// multiplications of sixteen-bit pairs.
  case evenOddWords

  /// The size of four consecutive activations in bytes.
  @_alwaysEmitIntoClient @inline(__always)
  public var bytesPerQuad: Int { self == .bytes ? 4 : 8 }

  /// The size of a row in bytes, a multiple of 64.
  public func rowBytes(_ columns: Int) -> Int {
    ((columns + 3) / 4 * bytesPerQuad + 63) / 64 * 64
  }
}
