/// The weights of a linear layer `y = x W^T + b`, in panels of sixteen output rows.
///
/// int8: `[N/16][K/4][16][4]`, with a scale and a sum of weights per output row. int4, in groups
/// only: `[N/16][K/8][16][4]` bytes, the low bits of which are int8's `K/4 = 2i`, and the high bits
/// `2i + 1`. fp16 and fp32: `[N/16][K][16]`. Padding rows and columns of the last panel are zero.
public struct WeightPanels {
  /// The type of a stored weight.
  public enum Element: Sendable {
    /// int8 with a scale per row.
    case int8
    /// Four bits in groups, each of which has a factor and a zero point; K is a multiple of 8.
    case int4
    /// Half precision.
    case float16
    /// Single precision.
    case float32
  }

  /// The type of the stored weights, which determines the layout of a panel.
  public let element: Element
  /// The first panel; `panels * panelStride` bytes.
  public let weights: UnsafeRawPointer
  /// One scale per output row, `panels * 16` elements; int8 and int4 only.
  public let scales: UnsafePointer<Float>?
  /// One sum per output row, `panels * 16` elements; int8 without groups only.
  public let rowSums: UnsafePointer<Int32>?
  /// int8 and int4 only; nil if a row has a single scale.
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
    case .int4: (inputs + 7) / 8 * 64
    case .float16: inputs * 32
    case .float32: inputs * 64
    }
  }
}
