/// The primitives that an instruction set provides to the generic kernels.
///
/// A vector has sixteen lanes on every target: one AVX-512 register, two AVX registers, or four
/// NEON registers. Operations that the compiler lowers well (sums, products, shifts, conversions)
/// are plain SIMD code in the kernels. Only the others are requirements here.
public protocol VectorISA: SendableMetatype {
  // MARK: Weight panels

  /// Sixteen int32 sums in the registers that suit the instruction set.
  associatedtype Accumulator
  /// Four consecutive int8 weights of each of sixteen output rows.
  associatedtype WeightQuads
  /// Four consecutive u8 activations of one row, broadcast to every lane.
  associatedtype ActivationQuad

  /// The number of activation rows and weight panels in a register tile.
  static var tile: RegisterTile { get }
  /// The memory layout of quantized rows.
  static var activationLayout: ActivationLayout { get }
  /// The offset that `loadActivations` subtracts from each activation. The GEMM adds it back with
  /// the row sums.
  static var activationBias: Int32 { get }

  /// Puts sixteen int32 sums into registers, in the order of output rows.
  static func accumulator(_ lanes: SIMD16<Int32>) -> Accumulator
  /// The sixteen sums in the order of output rows.
  static func lanes(_ sums: Accumulator) -> SIMD16<Int32>
  /// Loads 64 int8 weights `[16][4]` of a panel, from unaligned memory.
  static func loadWeights(_ p: UnsafeRawPointer) -> WeightQuads
  /// Loads four activations in `activationLayout`, minus `activationBias`, into every lane.
  static func loadActivations(_ p: UnsafeRawPointer) -> ActivationQuad
  /// Adds the four products of weights and activations to each lane. The result is exact.
  static func dot(_ sums: Accumulator, _ a: ActivationQuad, _ w: WeightQuads) -> Accumulator

  /// The number of activation rows that `multiply` takes.
  static var tileRows: Int { get }
  /// Adds the products of activation rows with one panel over `quads` groups of four columns to the
  /// sums of each row.
  static func multiply(
    _ rows: ActivationRows, _ panel: UnsafeRawPointer, _ quads: Int,
    _ sums: UnsafeMutablePointer<SIMD16<Int32>>)

  // MARK: Pairs of int16

  /// Whether products of int16 pairs are faster than those of floats.
  static var prefersPairs: Bool { get }
  /// Adds the two products of each lane's int16 pairs to `sums`. The result is exact unless it
  /// overflows.
  static func dotPairs(
    _ a: SIMD16<Int32>, _ b: SIMD16<Int32>, _ sums: SIMD16<Int32>
  ) -> SIMD16<Int32>

  // MARK: Rows of int8

  /// Partial sums of the products of one row with a query.
  associatedtype RowSums
  /// `rowChunkLength` consecutive elements of a row, and of a query.
  associatedtype RowChunk
  /// `rowChunkLength` consecutive elements of a query.
  associatedtype QueryChunk

  /// The number of int8 elements that one `dotRow` multiplies.
  static var rowChunkLength: Int { get }
  /// The offset that `loadRow` adds to each element. Kernels subtract it with the sum of the query.
  static var rowBias: Int32 { get }
  /// The number of queries that share the loads of four rows, limited by the registers.
  static var queryTile: QueryTile { get }
  /// Sums of zero.
  static var noSums: RowSums { get }
  /// Loads `rowChunkLength` int8 elements of a row, plus `rowBias`, from unaligned memory.
  static func loadRow(_ p: UnsafeRawPointer) -> RowChunk
  /// Loads `rowChunkLength` int8 elements of a query, from unaligned memory.
  static func loadQuery(_ p: UnsafeRawPointer) -> QueryChunk
  /// Adds products of a row's elements, -128...127, with a query's, -127...127. The result is
  /// exact.
  static func dotRow(_ sums: RowSums, _ row: RowChunk, _ query: QueryChunk) -> RowSums
  /// Adds partial sums lane by lane.
  static func add(_ a: RowSums, _ b: RowSums) -> RowSums
  /// Lane i of the result is the sum of all lanes of the i-th argument.
  static func totals(_ a: RowSums, _ b: RowSums, _ c: RowSums, _ d: RowSums) -> SIMD4<Int32>

  // MARK: Bytes and floats

  /// `table[i]` for each of 64 bytes, all below 16.
  static func lookup(_ table: UnsafeRawPointer, _ indices: SIMD64<UInt8>) -> SIMD64<UInt8>
  /// `a * b + c`, fused if the instruction set has a fused operation.
  static func fma(_ a: SIMD16<Float>, _ b: SIMD16<Float>, _ c: SIMD16<Float>) -> SIMD16<Float>
  /// Loads sixteen IEEE half-precision numbers from unaligned memory.
  static func loadHalf(_ p: UnsafeRawPointer) -> SIMD16<Float>
}

extension VectorISA {
  @_alwaysEmitIntoClient @inline(__always)
  public static var tileRows: Int { 4 }

  @_alwaysEmitIntoClient @inline(__always)
  public static func multiply(
    _ rows: ActivationRows, _ panel: UnsafeRawPointer, _ quads: Int,
    _ sums: UnsafeMutablePointer<SIMD16<Int32>>
  ) {
    var four = (
      accumulator(sums[0]), accumulator(sums[1]), accumulator(sums[2]), accumulator(sums[3])
    )
    multiply(rows, panel, quads, &four)
    sums[0] = lanes(four.0)
    sums[1] = lanes(four.1)
    sums[2] = lanes(four.2)
    sums[3] = lanes(four.3)
  }

  /// Adds the products of four activation rows with one panel to sums in registers.
  @_alwaysEmitIntoClient @inline(__always)
  static func multiply(
    _ rows: ActivationRows, _ panel: UnsafeRawPointer, _ quads: Int,
    _ sums: inout (Accumulator, Accumulator, Accumulator, Accumulator)
  ) {
    let a0 = rows[0], a1 = rows[1], a2 = rows[2], a3 = rows[3]
    var (c0, c1, c2, c3) = sums
    for quad in 0..<quads {
      let w = loadWeights(panel + quad * 64)
      let at = activationLayout.offset(ofQuad: quad)
      c0 = dot(c0, loadActivations(a0 + at), w)
      c1 = dot(c1, loadActivations(a1 + at), w)
      c2 = dot(c2, loadActivations(a2 + at), w)
      c3 = dot(c3, loadActivations(a3 + at), w)
    }
    sums = (c0, c1, c2, c3)
  }
}
