import VDSQFormat
import VDSQKernels

/// The arithmetic of int8 weights in a linear layer.
public enum Precision: Sendable {
  /// Activations quantized to u8 per token; products in integers.
  case integer
  /// Activations in float32 times weights that are dequantized on the fly. Slower, closer to the
  /// checkpoint.
  case high
}
