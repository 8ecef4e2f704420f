/// The rows of activations and panels of sixteen weights that one inner loop keeps in registers.
public enum RegisterTile: Sendable {
  /// 16 accumulators: for 32 registers of 512 bits.
  case rows8Panels2
  /// 4 accumulators of sixteen lanes: for 16 registers of 256 bits.
  case rows4Panels1
  /// Half a panel at a time, 16 accumulators of four lanes: for 32 registers of 128 bits, and
  /// multiplication by one lane. Floats take eight rows, integers `VectorISA.tileRows`.
  case rows8Halves

  /// The number of rows of floats that are multiplied at once.
  @_alwaysEmitIntoClient @inline(__always)
  var rows: Int { self == .rows4Panels1 ? 4 : 8 }
}
