/// The memory layout of quantized activations.
public enum ActivationLayout: Sendable {
  /// One byte per activation.
  case bytes
  /// Sixteen bits per activation, with the second and third of every four exchanged: operands of
  /// multiplications of sixteen-bit pairs.
  case evenOddWords
  /// One signed byte per activation: its value less 128.
  case signedBytes
  /// Signed bytes, eight of an even row followed by eight of the next one: operands of
  /// multiplications of matrices with two rows.
  case signedBytePairs

  /// The offset of four consecutive activations from the first ones of their row, in bytes.
  @_alwaysEmitIntoClient @inline(__always)
  public func offset(ofQuad quad: Int) -> Int {
    switch self {
    case .bytes, .signedBytes: quad * 4
    case .evenOddWords: quad * 8
    case .signedBytePairs: (quad >> 1) * 16 + (quad & 1) * 4
    }
  }

  /// The offset of a row's first activations from those of the first row, in bytes.
  ///
  /// - Parameter stride: bytes per row.
  @_alwaysEmitIntoClient @inline(__always)
  public func offset(ofRow row: Int, stride: Int) -> Int {
    self == .signedBytePairs ? (row & ~1) * stride + (row & 1) * 8 : row * stride
  }

  /// The size of a row in bytes, a multiple of 64.
  public func rowBytes(_ columns: Int) -> Int {
    ((columns + 3) / 4 * (self == .evenOddWords ? 8 : 4) + 63) / 64 * 64
  }

  /// The size of some rows in bytes.
  public func bytes(rows: Int, columns: Int) -> Int {
    (self == .signedBytePairs ? (rows + 1) / 2 * 2 : rows) * rowBytes(columns)
  }
}
