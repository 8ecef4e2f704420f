/// Rows quantized to u8 with a scale and a zero point each: `x ~= scale * (q - zeroPoint)`.
public struct QuantizedRows {
  public let values: UnsafeMutablePointer<UInt8>
  /// Bytes from one row to the next; a multiple of 4, at least the number of columns.
  public let stride: Int
  public let scales: UnsafeMutablePointer<Float>
  public let zeroPoints: UnsafeMutablePointer<Int32>

  public init(
    values: UnsafeMutablePointer<UInt8>, stride: Int, scales: UnsafeMutablePointer<Float>,
    zeroPoints: UnsafeMutablePointer<Int32>
  ) {
    self.values = values
    self.stride = stride
    self.scales = scales
    self.zeroPoints = zeroPoints
  }
}

/// The weights of a linear layer `y = x W^T + b` in panels of sixteen output rows.
///
/// int8: `[N/16][K/4][16][4]`, each output row with a scale and the sum of its weights.
/// fp16: `[N/16][K][16]`. Rows and columns that fill the last panel up are zero.
public struct WeightPanels {
  public enum Element: Sendable { case int8, float16 }

  public let element: Element
  public let weights: UnsafeRawPointer
  /// Per output row, `panels * 16` of them; int8 only.
  public let scales: UnsafePointer<Float>?
  /// Per output row, `panels * 16` of them; int8 only.
  public let rowSums: UnsafePointer<Int32>?
  /// `outputs` of them.
  public let bias: UnsafePointer<Float>?
  public let outputs: Int
  public let inputs: Int

  public init(
    element: Element, weights: UnsafeRawPointer, scales: UnsafePointer<Float>?,
    rowSums: UnsafePointer<Int32>?, bias: UnsafePointer<Float>?, outputs: Int, inputs: Int
  ) {
    self.element = element
    self.weights = weights
    self.scales = scales
    self.rowSums = rowSums
    self.bias = bias
    self.outputs = outputs
    self.inputs = inputs
  }

  @_alwaysEmitIntoClient @inline(__always)
  public var panels: Int { (outputs + 15) / 16 }

  /// Bytes from one panel to the next.
  @_alwaysEmitIntoClient @inline(__always)
  public var panelStride: Int {
    switch element {
    case .int8: (inputs + 3) / 4 * 64
    case .float16: inputs * 32
    }
  }
}

/// The activation function that a linear layer's epilogue applies.
public enum Activation: Sendable {
  case identity
  /// `x/2 (1 + erf(x / sqrt 2))`
  case gelu
  /// The tanh approximation of GELU (`gelu_new`, `gelu_pytorch_tanh`).
  case geluTanh
  case relu
}

/// One sequence's queries, keys and values, interleaved row by row.
public struct AttentionInput {
  /// First row; queries of head `h` start at column `h * headSize`.
  public let queries: UnsafePointer<Float>
  public let keys: UnsafePointer<Float>
  public let values: UnsafePointer<Float>
  /// Floats from one row to the next.
  public let stride: Int
  public let length: Int
  public let headSize: Int

  public init(
    queries: UnsafePointer<Float>, keys: UnsafePointer<Float>, values: UnsafePointer<Float>,
    stride: Int, length: Int, headSize: Int
  ) {
    self.queries = queries
    self.keys = keys
    self.values = values
    self.stride = stride
    self.length = length
    self.headSize = headSize
  }

  /// Floats of scratch that one head of a sequence of `length` rows takes.
  public static func scratch(length: Int, headSize: Int) -> Int {
    let paddedLength = (length + 15) / 16 * 16
    let paddedHead = (headSize + 15) / 16 * 16
    return headSize * paddedLength + length * paddedHead + 4 * paddedLength + 4 * paddedHead
  }
}
