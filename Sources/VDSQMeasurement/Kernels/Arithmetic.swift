import VDSQInference
import VDSQKernels

/// The element type that a kernel multiplies.
enum Arithmetic {
  case int8, int16, float
}
