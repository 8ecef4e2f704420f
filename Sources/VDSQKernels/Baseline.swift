import CShims

/// Any CPU: plain vector arithmetic that the compiler lowers to what the target's baseline has.
public enum BaselineISA: VectorISA {
  public typealias Accumulator = SIMD16<Int32>
  public typealias WeightQuads = SIMD16<Int32>
  public typealias ActivationQuad = UInt32

  @inline(__always) public static var tile: RegisterTile { .rows4Panels1 }
  @inline(__always) public static var activationBias: Int32 { 0 }
  @inline(__always) public static var zero: SIMD16<Int32> { SIMD16(repeating: 0) }

  @inline(__always)
  public static func loadWeights(_ p: UnsafeRawPointer) -> SIMD16<Int32> {
    p.loadUnaligned(as: SIMD16<Int32>.self)
  }

  @inline(__always)
  public static func loadActivations(_ p: UnsafeRawPointer) -> UInt32 {
    p.loadUnaligned(as: UInt32.self)
  }

  @inline(__always)
  public static func dot(
    _ sums: SIMD16<Int32>, _ a: UInt32, _ w: SIMD16<Int32>
  ) -> SIMD16<Int32> {
    vdsq_baseline_dot(sums, a, w)
  }

  @inline(__always)
  public static func lanes(_ sums: SIMD16<Int32>) -> SIMD16<Int32> { sums }

  @inline(__always)
  public static func fma(
    _ a: SIMD16<Float>, _ b: SIMD16<Float>, _ c: SIMD16<Float>
  ) -> SIMD16<Float> { a * b + c }

  /// Half to float by rebiasing the exponent; infinities and NaNs never reach a file.
  @inline(__always)
  public static func loadHalf(_ p: UnsafeRawPointer) -> SIMD16<Float> {
    let h = SIMD16<Int32>(truncatingIfNeeded: p.loadUnaligned(as: SIMD16<UInt16>.self))
    let magnitude = vdsq_shift_left(h & SIMD16(repeating: 0x7FFF), 13)
    let sign = vdsq_shift_left(h & SIMD16(repeating: 0x8000), 16)
    let value = unsafeBitCast(magnitude, to: SIMD16<Float>.self) * SIMD16(repeating: 0x1p112)
    return unsafeBitCast(
      unsafeBitCast(value, to: SIMD16<Int32>.self) | sign,
      to: SIMD16<Float>.self)
  }
}

extension KernelTable {
  /// The kernels that run on any CPU of the architecture.
  public static func baseline() -> KernelTable {
    KernelTable(name: "baseline", isa: BaselineISA.self)
  }
}
