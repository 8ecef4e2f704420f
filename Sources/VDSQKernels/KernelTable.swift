/// The kernels of one instruction set. The table is chosen once at start; no later code branches on
/// the CPU.
///
/// Matrices are row-major. `ScalarReference` defines what each kernel computes.
public struct KernelTable: Sendable {
  /// `baseline`, `avx2` or `avx512`; `neon`, `dotprod` or `i8mm`.
  public let name: StaticString

  /// The memory layout of quantized rows that these kernels expect.
  public let activationLayout: ActivationLayout

  // MARK: Linear layers

  /// Quantizes each of `rows` rows of `columns` floats, `stride` floats apart, to u8. `ranges`
  /// holds the minimum and maximum of the rows if they are known already.
  public let quantizeRows:
    @Sendable (
      _ x: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int, _ ranges: RowRanges?,
      _ to: QuantizedRows
    ) -> Void

  /// `y = activation(dequantize(x) W^T + b)` over a range of weight panels, in integers.
  public let gemmU8S8:
    @Sendable (
      _ x: QuantizedRows, _ rows: Int, _ w: WeightPanels, _ panels: Range<Int>,
      _ out: LinearOutput
    ) -> Void

  /// `y = activation(x W^T + b)` over a range of weight panels, in floats, for any element type.
  public let gemmFloat:
    @Sendable (
      _ x: UnsafePointer<Float>, _ xStride: Int, _ rows: Int, _ w: WeightPanels,
      _ panels: Range<Int>, _ out: LinearOutput
    ) -> Void

  // MARK: Between linear layers

  /// `softmax(Q K^T / sqrt(headSize)) V` for some rows of one head of one sequence. Output rows are
  /// counted from the first row of the sequence.
  public let attention:
    @Sendable (
      _ input: AttentionInput, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int,
      _ scratch: UnsafeMutablePointer<Float>
    ) -> Void

  /// The same in sixteen-bit integers if those are faster. The error is within a thousandth of the
  /// largest value. For models whose linear layers use integers too.
  public let attentionInt16:
    @Sendable (
      _ input: AttentionInput, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int,
      _ scratch: UnsafeMutablePointer<Float>
    ) -> Void

  /// `attention` for the heads that share one key head, where each query sees only its past.
  public let causalAttention:
    @Sendable (
      _ input: CausalAttentionInput, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int,
      _ scratch: UnsafeMutablePointer<Float>
    ) -> Void

  /// `softmax(scale * x)` of each row, in place.
  public let softmax:
    @Sendable (
      _ x: UnsafeMutablePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int, _ scale: Float
    ) -> Void

  /// The largest value x_m, and the sum of `e^(scale (x - x_m))`, which is not a number if a value
  /// is not finite.
  public let exponentialSum:
    @Sendable (
      _ x: UnsafePointer<Float>, _ count: Int, _ scale: Float
    ) -> (largest: Float, sum: Float)

  /// `y = (x + r - mean) / sqrt(variance + epsilon) * gain + bias` per row; `r` may be nil, `y` may
  /// be `x`.
  public let addLayerNorm:
    @Sendable (
      _ x: UnsafePointer<Float>, _ residual: UnsafePointer<Float>?, _ norm: Normalization,
      _ rows: Int, _ columns: Int, _ y: UnsafeMutablePointer<Float>, _ ranges: RowRanges?
    ) -> Void

  /// `y = (x + r) / sqrt(mean of squares + epsilon) * gain` per row.
  public let addRMSNorm:
    @Sendable (
      _ x: UnsafePointer<Float>, _ residual: UnsafePointer<Float>?, _ norm: Normalization,
      _ rows: Int, _ columns: Int, _ y: UnsafeMutablePointer<Float>, _ ranges: RowRanges?
    ) -> Void

  /// Rotary position embedding of one head, in place: `size / 2` angles.
  public let rotate:
    @Sendable (
      _ x: UnsafeMutablePointer<Float>, _ size: Int, _ cosines: UnsafePointer<Float>,
      _ sines: UnsafePointer<Float>, _ pairs: RotaryPairs
    ) -> Void

  /// `gate = activation(gate) * up`.
  public let gate:
    @Sendable (
      _ gate: UnsafeMutablePointer<Float>, _ up: UnsafePointer<Float>, _ count: Int,
      _ activation: Activation
    ) -> Void

  // MARK: Vocabulary rows

  /// Quantizes a query to int8; the values are the same on every instruction set.
  public let int8Query:
    @Sendable (
      _ x: UnsafePointer<Float>, _ columns: Int, _ into: UnsafeMutablePointer<Int8>
    ) -> Int8Query

  /// Builds the tables of a rotated query; they are the same on every instruction set.
  public let coarseQuery:
    @Sendable (
      _ x: UnsafePointer<Float>, _ columns: Int, _ into: UnsafeMutablePointer<UInt8>
    ) -> CoarseQuery

  /// Keeps the best cosines of a query to the rows of a range.
  public let cosineTopK:
    @Sendable (
      _ query: Int8Query, _ m: Int8Rows, _ range: Range<Int>, _ best: inout TopK
    ) -> Void

  /// The same for several queries. Each row is read from memory once.
  public let cosineTopKBatch:
    @Sendable (
      _ queries: UnsafePointer<Int8Query>, _ count: Int, _ m: Int8Rows, _ range: Range<Int>,
      _ best: UnsafeMutablePointer<TopK>
    ) -> Void

  /// The same for rows given by their ids.
  public let cosineTopKOf:
    @Sendable (
      _ query: Int8Query, _ m: Int8Rows, _ candidates: UnsafePointer<Int32>, _ count: Int,
      _ best: inout TopK
    ) -> Void

  /// The cosines of several queries to each row of a range, `[count, stride]`. Each row is read
  /// from memory once.
  public let cosines:
    @Sendable (
      _ queries: UnsafePointer<Int8Query>, _ count: Int, _ m: Int8Rows, _ range: Range<Int>,
      _ out: UnsafeMutablePointer<Float>, _ stride: Int
    ) -> Void

  /// Collects candidates from rows with two bits per dimension.
  public let coarseScan:
    @Sendable (
      _ query: CoarseQuery, _ m: CoarseRows, _ blocks: Range<Int>, _ found: inout Candidates
    ) -> Void

  // MARK: Vectors

  /// `out[i] = x . m[i]` for each row of a float matrix.
  public let dotRows:
    @Sendable (
      _ x: UnsafePointer<Float>, _ m: UnsafePointer<Float>, _ rows: Int, _ columns: Int,
      _ out: UnsafeMutablePointer<Float>
    ) -> Void

  /// `out[i] = x . m[i]` for each row of a half-precision matrix.
  public let dotHalfRows:
    @Sendable (
      _ x: UnsafePointer<Float>, _ m: UnsafeRawPointer, _ rows: Int, _ columns: Int,
      _ out: UnsafeMutablePointer<Float>
    ) -> Void

  /// `y += a x`.
  public let addScaled:
    @Sendable (
      _ a: Float, _ x: UnsafePointer<Float>, _ count: Int, _ y: UnsafeMutablePointer<Float>
    ) -> Void

  /// Converts half-precision numbers to floats.
  public let dequantizeHalf:
    @Sendable (
      _ x: UnsafeRawPointer, _ count: Int, _ y: UnsafeMutablePointer<Float>
    ) -> Void

  /// Rounds floats to half precision, ties to even.
  public let quantizeHalf:
    @Sendable (
      _ x: UnsafePointer<Float>, _ count: Int, _ y: UnsafeMutableRawPointer
    ) -> Void

  /// Quantizes floats to int8, so that they are about `scale * y`, and returns the scale: the
  /// largest magnitude divided by 127; 0 for zeros; NaN if one is not finite.
  public let quantizeInt8:
    @Sendable (
      _ x: UnsafePointer<Float>, _ count: Int, _ y: UnsafeMutablePointer<Int8>
    ) -> Float

  /// `y = scale * x`.
  public let dequantizeInt8:
    @Sendable (
      _ x: UnsafePointer<Int8>, _ count: Int, _ scale: Float, _ y: UnsafeMutablePointer<Float>
    ) -> Void

  /// Loops that measure the limits of the machine.
  public let probes: Probes

  /// Builds the table of the generic kernels over `isa`. Call it in a target that is compiled with
  /// the flags of the instruction set.
  @_alwaysEmitIntoClient @inline(__always)
  public init<ISA: VectorISA>(name: StaticString, isa: ISA.Type) {
    typealias K = GenericKernels<ISA>
    self.name = name
    activationLayout = ISA.activationLayout
    quantizeRows = { K.quantizeRows($0, $1, $2, $3, $4, $5) }
    gemmU8S8 = { K.gemmU8S8($0, $1, $2, $3, $4) }
    gemmFloat = { K.gemmFloat($0, $1, $2, $3, $4, $5) }
    attention = { K.attention($0, $1, $2, $3) }
    attentionInt16 = { K.attentionInt16($0, $1, $2, $3) }
    causalAttention = { K.causalAttention($0, $1, $2, $3) }
    softmax = { K.softmax($0, $1, $2, $3, $4) }
    exponentialSum = { K.exponentialSum($0, $1, $2) }
    addLayerNorm = { K.addLayerNorm($0, $1, $2, $3, $4, $5, $6) }
    addRMSNorm = { K.addRMSNorm($0, $1, $2, $3, $4, $5, $6) }
    rotate = { K.rotate($0, $1, $2, $3, $4) }
    gate = { K.gate($0, $1, $2, $3) }
    int8Query = { Int8Query(quantizing: $0, columns: $1, into: $2) }
    coarseQuery = { CoarseQuery($0, columns: $1, into: $2) }
    cosineTopK = { K.cosineTopK($0, $1, $2, &$3) }
    cosineTopKBatch = { K.cosineTopKBatch($0, $1, $2, $3, $4) }
    cosineTopKOf = { K.cosineTopK($0, $1, candidates: $2, $3, &$4) }
    cosines = { K.cosines($0, $1, $2, $3, $4, $5) }
    coarseScan = { K.coarseScan($0, $1, $2, &$3) }
    dotRows = { K.dotRows($0, $1, $2, $3, $4) }
    dotHalfRows = { K.dotHalfRows($0, $1, $2, $3, $4) }
    addScaled = { K.addScaled($0, $1, $2, $3) }
    dequantizeHalf = { K.dequantizeHalf($0, $1, $2) }
    quantizeHalf = { K.quantizeHalf($0, $1, $2) }
    quantizeInt8 = { K.quantizeInt8($0, $1, $2) }
    dequantizeInt8 = { K.dequantizeInt8($0, $1, $2, $3) }
    probes = Probes(isa: isa)
  }
}
