/// The kernels of one instruction set. Chosen once at start-up; nothing branches on the CPU later.
///
/// Matrices are row-major. `ScalarReference` defines what each kernel computes.
public struct KernelTable: Sendable {
  /// `baseline`, `avx2`, `avx512` or `neon`.
  public let name: StaticString

  /// Quantizes each of `rows` rows of `columns` floats, `stride` floats apart, to u8.
  public let quantizeRows:
    @Sendable (
      _ x: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int, _ to: QuantizedRows
    ) -> Void

  /// `y = activation(dequantize(x) W^T + b)` over a range of weight panels, in integers.
  public let gemmU8S8:
    @Sendable (
      _ x: QuantizedRows, _ rows: Int, _ w: WeightPanels, _ panels: Range<Int>,
      _ activation: Activation, _ y: UnsafeMutablePointer<Float>, _ yStride: Int
    ) -> Void

  /// `y = activation(x W^T + b)` over a range of weight panels, in floats, for any element type.
  public let gemmFloat:
    @Sendable (
      _ x: UnsafePointer<Float>, _ xStride: Int, _ rows: Int, _ w: WeightPanels,
      _ panels: Range<Int>, _ activation: Activation, _ y: UnsafeMutablePointer<Float>,
      _ yStride: Int
    ) -> Void

  /// `softmax(Q K^T / sqrt(headSize)) V` of one head of one sequence.
  public let attention:
    @Sendable (
      _ input: AttentionInput, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int,
      _ scratch: UnsafeMutablePointer<Float>
    ) -> Void

  /// `y = (x + r - mean) / sqrt(variance + epsilon) * gain + bias` per row; `r` may be nil, `y` may
  /// be `x`.
  public let addLayerNorm:
    @Sendable (
      _ x: UnsafePointer<Float>, _ residual: UnsafePointer<Float>?, _ gain: UnsafePointer<Float>,
      _ bias: UnsafePointer<Float>, _ epsilon: Float, _ rows: Int, _ columns: Int,
      _ y: UnsafeMutablePointer<Float>
    ) -> Void

  /// `out[i] = x . m[i]` for each row of a float matrix.
  public let dotRows:
    @Sendable (
      _ x: UnsafePointer<Float>, _ m: UnsafePointer<Float>, _ rows: Int, _ columns: Int,
      _ out: UnsafeMutablePointer<Float>
    ) -> Void

  /// `y += a x`.
  public let addScaled:
    @Sendable (
      _ a: Float, _ x: UnsafePointer<Float>, _ count: Int, _ y: UnsafeMutablePointer<Float>
    ) -> Void

  /// Half-precision numbers to floats.
  public let dequantizeHalf:
    @Sendable (
      _ x: UnsafeRawPointer, _ count: Int, _ y: UnsafeMutablePointer<Float>
    ) -> Void

  /// The generic kernels over `isa`. Call it where the instruction set's flags are in force.
  @_alwaysEmitIntoClient @inline(__always)
  public init<ISA: VectorISA>(name: StaticString, isa: ISA.Type) {
    self.name = name
    quantizeRows = { x, stride, rows, columns, to in
      GenericKernels<ISA>.quantizeRows(x, stride, rows, columns, to)
    }
    gemmU8S8 = { x, rows, w, panels, activation, y, yStride in
      GenericKernels<ISA>.gemmU8S8(x, rows, w, panels, activation, y, yStride)
    }
    gemmFloat = { x, xStride, rows, w, panels, activation, y, yStride in
      GenericKernels<ISA>.gemmFloat(x, xStride, rows, w, panels, activation, y, yStride)
    }
    attention = { input, output, outputStride, scratch in
      GenericKernels<ISA>.attention(input, output, outputStride, scratch)
    }
    addLayerNorm = { x, residual, gain, bias, epsilon, rows, columns, y in
      GenericKernels<ISA>.addLayerNorm(x, residual, gain, bias, epsilon, rows, columns, y)
    }
    dotRows = { x, m, rows, columns, out in
      GenericKernels<ISA>.dotRows(x, m, rows, columns, out)
    }
    dequantizeHalf = { x, count, y in GenericKernels<ISA>.dequantizeHalf(x, count, y) }
    addScaled = { a, x, count, y in GenericKernels<ISA>.addScaled(a, x, count, y) }
  }
}

/// The kernels, written once over an instruction set's primitives.
///
/// Every function is inlined into the target that builds a `KernelTable`, where that instruction
/// set's flags are in force: a shared copy compiled for one set must never serve another.
public enum GenericKernels<ISA: VectorISA> {}
