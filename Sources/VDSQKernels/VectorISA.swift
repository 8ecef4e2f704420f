/// The primitives that an instruction set brings to the generic kernels.
///
/// A vector has sixteen lanes on every target: one AVX-512 register, two AVX registers, or four
/// NEON registers. Everything that the compiler lowers well by itself (sums, products, shifts,
/// conversions) is plain SIMD code in the kernels; only what it does not find is a requirement here.
public protocol VectorISA: SendableMetatype {
  /// Sixteen int32 sums in the registers that suit the instruction set.
  associatedtype Accumulator
  /// Four consecutive int8 weights of each of sixteen output rows.
  associatedtype WeightQuads
  /// Four consecutive u8 activations of one row, in every lane.
  associatedtype ActivationQuad

  /// How many activation rows and weight panels the int8 register tile holds.
  static var tile: RegisterTile { get }
  /// What `loadActivations` subtracts from each activation; the GEMM adds it back by row sums.
  static var activationBias: Int32 { get }

  static var zero: Accumulator { get }
  static func loadWeights(_ p: UnsafeRawPointer) -> WeightQuads
  static func loadActivations(_ p: UnsafeRawPointer) -> ActivationQuad
  /// Adds to each lane the four products of its weights with the activations. Exact.
  static func dot(_ sums: Accumulator, _ a: ActivationQuad, _ w: WeightQuads) -> Accumulator
  static func lanes(_ sums: Accumulator) -> SIMD16<Int32>

  /// `a * b + c`, fused where the instruction set fuses it.
  static func fma(_ a: SIMD16<Float>, _ b: SIMD16<Float>, _ c: SIMD16<Float>) -> SIMD16<Float>
  /// Sixteen IEEE half-precision numbers from unaligned memory.
  static func loadHalf(_ p: UnsafeRawPointer) -> SIMD16<Float>
}

/// Rows of activations by panels of sixteen weights that one inner loop keeps in registers.
public enum RegisterTile: Sendable {
  /// 16 accumulators: for 32 registers of 512 bits.
  case rows8Panels2
  /// 4 accumulators of sixteen lanes: for 16 registers of 256 bits, or 32 of 128.
  case rows4Panels1
}
