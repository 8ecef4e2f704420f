/// Rows quantized to u8. Each row has a scale and a zero point: `x ~= scale * (q - zeroPoint)`.
public struct QuantizedRows {
  /// The u8 values, in the layout of `layout`.
  public let values: UnsafeMutableRawPointer
  /// Bytes from one row to the next, `layout.rowBytes(columns)` at least.
  public let stride: Int
  /// The order and width of the values in a row.
  public let layout: ActivationLayout
  /// The step of each row.
  public let scales: UnsafeMutablePointer<Float>
  /// The integer that stands for 0 in each row; it may be outside 0...255.
  public let zeroPoints: UnsafeMutablePointer<Int32>

  /// Refers to memory of the caller, which must outlive this value.
  public init(
    values: UnsafeMutableRawPointer, stride: Int, layout: ActivationLayout,
    scales: UnsafeMutablePointer<Float>, zeroPoints: UnsafeMutablePointer<Int32>
  ) {
    self.values = values
    self.stride = stride
    self.layout = layout
    self.scales = scales
    self.zeroPoints = zeroPoints
  }
}

/// The minimum and maximum of each row of a matrix: sixteen lanes of low values and sixteen of high
/// values per row. Norm kernels write them, so that quantization does not have to search for them.
public struct RowRanges {
  /// `[rows][32]`.
  public let lanes: UnsafeMutablePointer<Float>

  /// Refers to `rows * 32` floats of the caller.
  public init(lanes: UnsafeMutablePointer<Float>) { self.lanes = lanes }

  @_alwaysEmitIntoClient @inline(__always)
  func set(_ row: Int, low: SIMD16<Float>, high: SIMD16<Float>) {
    store16(low, lanes + row * 32)
    store16(high, lanes + row * 32 + 16)
  }
}

/// Factors for groups of columns of a row. The value of a weight is its int8 times the scale of its
/// row times the factor of its group.
public struct WeightGroups {
  /// Columns of a group, a multiple of 4. The last group may have fewer.
  public let length: Int
  /// Half-precision numbers, `[panels][groups][16]`.
  public let factors: UnsafeRawPointer
  /// For each output row, the sum of its weights before its scale; `panels * 16` elements.
  public let sums: UnsafePointer<Float>

  /// Refers to memory of the caller, which must outlive this value.
  public init(length: Int, factors: UnsafeRawPointer, sums: UnsafePointer<Float>) {
    self.length = length
    self.factors = factors
    self.sums = sums
  }

  /// Number of groups in a row.
  @_alwaysEmitIntoClient @inline(__always)
  public func count(_ inputs: Int) -> Int { (inputs + length - 1) / length }
}

/// The weights of a linear layer `y = x W^T + b`, in panels of sixteen output rows.
///
/// int8: `[N/16][K/4][16][4]`, with a scale and a sum of weights per output row. fp16 and fp32:
/// `[N/16][K][16]`. Padding rows and columns of the last panel are zero.
public struct WeightPanels {
  /// The type of a stored weight.
  public enum Element: Sendable {
    /// int8 with a scale per row.
    case int8
    /// Half precision.
    case float16
    /// Single precision.
    case float32
  }

  /// The type of the stored weights, which determines the layout of a panel.
  public let element: Element
  /// The first panel; `panels * panelStride` bytes.
  public let weights: UnsafeRawPointer
  /// One scale per output row, `panels * 16` elements; int8 only.
  public let scales: UnsafePointer<Float>?
  /// One sum per output row, `panels * 16` elements; int8 without groups only.
  public let rowSums: UnsafePointer<Int32>?
  /// int8 only; nil if a row has a single scale.
  public let groups: WeightGroups?
  /// `outputs` elements.
  public let bias: UnsafePointer<Float>?
  /// N, the number of output features.
  public let outputs: Int
  /// K, the number of input features.
  public let inputs: Int

  /// Refers to memory of the caller, which must outlive this value.
  public init(
    element: Element, weights: UnsafeRawPointer, scales: UnsafePointer<Float>?,
    rowSums: UnsafePointer<Int32>?, groups: WeightGroups? = nil, bias: UnsafePointer<Float>?,
    outputs: Int, inputs: Int
  ) {
    self.element = element
    self.weights = weights
    self.scales = scales
    self.rowSums = rowSums
    self.groups = groups
    self.bias = bias
    self.outputs = outputs
    self.inputs = inputs
  }

  /// The number of panels: `outputs` divided by sixteen, rounded up.
  @_alwaysEmitIntoClient @inline(__always)
  public var panels: Int { (outputs + 15) / 16 }

  /// Bytes from one panel to the next.
  @_alwaysEmitIntoClient @inline(__always)
  public var panelStride: Int {
    switch element {
    case .int8: (inputs + 3) / 4 * 64
    case .float16: inputs * 32
    case .float32: inputs * 64
    }
  }
}

/// The destination of a linear layer's outputs, and the activation function applied to them.
public struct LinearOutput {
  /// `[rows, outputs]`.
  public let y: UnsafeMutablePointer<Float>
  /// Floats from one row to the next.
  public let stride: Int
  /// The function that is applied after the bias.
  public let activation: Activation

  /// Refers to memory of the caller, which must outlive this value.
  public init(
    y: UnsafeMutablePointer<Float>, stride: Int, activation: Activation = .identity
  ) {
    self.y = y
    self.stride = stride
    self.activation = activation
  }
}

/// The activation function that a linear layer's epilogue applies.
public enum Activation: Sendable, CaseIterable {
  /// `x`
  case identity
  /// `x/2 (1 + erf(x / sqrt 2))`
  case gelu
  /// The tanh approximation of GELU (`gelu_new`, `gelu_pytorch_tanh`).
  case geluTanh
  /// `max(0, x)`
  case relu
  /// `x / (1 + e^-x)`
  case silu
}

/// Some queries of one head of one sequence, and all keys and values of that sequence. Rows are
/// interleaved.
public struct AttentionInput {
  /// The sequence's first row.
  public let queries: UnsafePointer<Float>
  /// The key of the sequence's first row.
  public let keys: UnsafePointer<Float>
  /// The value of the sequence's first row.
  public let values: UnsafePointer<Float>
  /// Floats from one row to the next.
  public let stride: Int
  /// Rows of the sequence.
  public let length: Int
  /// The number of floats of a head in queries, keys and values.
  public let headSize: Int
  /// The rows for which outputs are computed.
  public let rows: Range<Int>

  /// Refers to memory of the caller, which must outlive this value.
  public init(
    queries: UnsafePointer<Float>, keys: UnsafePointer<Float>, values: UnsafePointer<Float>,
    stride: Int, length: Int, headSize: Int, rows: Range<Int>
  ) {
    self.queries = queries
    self.keys = keys
    self.values = values
    self.stride = stride
    self.length = length
    self.headSize = headSize
    self.rows = rows
  }

  /// The number of floats of scratch for one head of a sequence of `length` rows.
  public static func scratch(length: Int, headSize: Int) -> Int {
    let paddedLength = (length + 31) / 32 * 32
    let paddedHead = (headSize + 31) / 32 * 32
    return (paddedHead + 8) * paddedLength + length * paddedHead + 8 * paddedHead + 8
  }
}
