/// The rows of activations and panels of sixteen weights that one inner loop keeps in registers.
public enum RegisterTile: Sendable {
  /// 16 accumulators: for 32 registers of 512 bits.
  case rows8Panels2
  /// 4 accumulators of sixteen lanes: for 16 registers of 256 bits, or 32 of 128.
  case rows4Panels1
}
