import CShims

// The kernels that run on any CPU of the architecture: SSE2 on x86-64, NEON on aarch64.

#if arch(x86_64)
  /// SSE2: `pmaddwd` multiplies pairs of sixteen-bit numbers exactly.
  public enum SSE2: VectorISA {
    /// Sixteen int32 sums in four registers of 128 bits.
    @frozen public struct Quarters { var q0, q1, q2, q3: SIMD4<Int32> }
    @frozen public struct WeightQuads { var e0, e1, e2, e3, o0, o1, o2, o3: SIMD4<Int32> }
    @frozen public struct ActivationQuad { var even, odd: SIMD4<Int32> }

    @inline(__always) public static var tile: RegisterTile { .rows4Panels1 }
    @inline(__always) public static var activationLayout: ActivationLayout { .evenOddWords }
    @inline(__always) public static var activationBias: Int32 { 0 }

    @inline(__always)
    public static func accumulator(_ lanes: SIMD16<Int32>) -> Quarters {
      Quarters(
        q0: lanes.lowHalf.lowHalf, q1: lanes.lowHalf.highHalf, q2: lanes.highHalf.lowHalf,
        q3: lanes.highHalf.highHalf)
    }

    @inline(__always)
    public static func lanes(_ s: Quarters) -> SIMD16<Int32> {
      SIMD16(
        lowHalf: SIMD8(lowHalf: s.q0, highHalf: s.q1),
        highHalf: SIMD8(lowHalf: s.q2, highHalf: s.q3))
    }

    @inline(__always)
    public static func loadWeights(_ p: UnsafeRawPointer) -> WeightQuads {
      let a = vdsq_sse2_load(p), b = vdsq_sse2_load(p + 16)
      let c = vdsq_sse2_load(p + 32), d = vdsq_sse2_load(p + 48)
      return WeightQuads(
        e0: vdsq_sse2_even_i8(a), e1: vdsq_sse2_even_i8(b), e2: vdsq_sse2_even_i8(c),
        e3: vdsq_sse2_even_i8(d), o0: vdsq_sse2_odd_i8(a), o1: vdsq_sse2_odd_i8(b),
        o2: vdsq_sse2_odd_i8(c), o3: vdsq_sse2_odd_i8(d))
    }

    @inline(__always)
    public static func loadActivations(_ p: UnsafeRawPointer) -> ActivationQuad {
      ActivationQuad(
        even: vdsq_sse2_splat(p.loadUnaligned(as: UInt32.self)),
        odd: vdsq_sse2_splat(p.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
    }

    @inline(__always)
    public static func dot(_ s: Quarters, _ a: ActivationQuad, _ w: WeightQuads) -> Quarters {
      Quarters(
        q0: vdsq_sse2_madd(vdsq_sse2_madd(s.q0, a.even, w.e0), a.odd, w.o0),
        q1: vdsq_sse2_madd(vdsq_sse2_madd(s.q1, a.even, w.e1), a.odd, w.o1),
        q2: vdsq_sse2_madd(vdsq_sse2_madd(s.q2, a.even, w.e2), a.odd, w.o2),
        q3: vdsq_sse2_madd(vdsq_sse2_madd(s.q3, a.even, w.e3), a.odd, w.o3))
    }

    @inline(__always) public static var prefersPairs: Bool { true }
    @inline(__always)
    public static func dotPairs(
      _ a: SIMD16<Int32>, _ b: SIMD16<Int32>, _ sums: SIMD16<Int32>
    ) -> SIMD16<Int32> {
      let s = accumulator(sums), x = accumulator(a), y = accumulator(b)
      return lanes(
        Quarters(
          q0: vdsq_sse2_madd(s.q0, x.q0, y.q0), q1: vdsq_sse2_madd(s.q1, x.q1, y.q1),
          q2: vdsq_sse2_madd(s.q2, x.q2, y.q2), q3: vdsq_sse2_madd(s.q3, x.q3, y.q3)))
    }

    @inline(__always) public static var rowChunkLength: Int { 16 }
    @inline(__always) public static var rowBias: Int32 { 0 }
    @inline(__always) public static var queryTile: QueryTile { .queries2 }
    @inline(__always) public static var noSums: SIMD4<Int32> { SIMD4(repeating: 0) }

    @inline(__always)
    public static func loadRow(_ p: UnsafeRawPointer) -> ActivationQuad { loadQuery(p) }

    /// Sixteen elements as even and odd sixteen-bit numbers.
    @inline(__always)
    public static func loadQuery(_ p: UnsafeRawPointer) -> ActivationQuad {
      let bytes = vdsq_sse2_load(p)
      return ActivationQuad(even: vdsq_sse2_even_i8(bytes), odd: vdsq_sse2_odd_i8(bytes))
    }

    @inline(__always)
    public static func dotRow(
      _ s: SIMD4<Int32>, _ row: ActivationQuad, _ query: ActivationQuad
    ) -> SIMD4<Int32> {
      vdsq_sse2_madd(vdsq_sse2_madd(s, row.even, query.even), row.odd, query.odd)
    }

    @inline(__always)
    public static func add(_ a: SIMD4<Int32>, _ b: SIMD4<Int32>) -> SIMD4<Int32> { a &+ b }

    @inline(__always)
    public static func totals(
      _ a: SIMD4<Int32>, _ b: SIMD4<Int32>, _ c: SIMD4<Int32>, _ d: SIMD4<Int32>
    ) -> SIMD4<Int32> {
      SIMD4(a.wrappedSum(), b.wrappedSum(), c.wrappedSum(), d.wrappedSum())
    }

    /// SSE2 has no byte shuffle.
    @inline(__always)
    public static func lookup(
      _ table: UnsafeRawPointer, _ indices: SIMD64<UInt8>
    ) -> SIMD64<UInt8> {
      var result = SIMD64<UInt8>()
      for i in 0..<64 {
        result[i] = table.load(fromByteOffset: Int(indices[i] & 15), as: UInt8.self)
      }
      return result
    }

    @inline(__always)
    public static func fma(
      _ a: SIMD16<Float>, _ b: SIMD16<Float>, _ c: SIMD16<Float>
    ) -> SIMD16<Float> { a * b + c }

    /// Converts half to float by rebiasing the exponent. Infinities and NaNs are handled
    /// separately.
    @inline(__always)
    public static func loadHalf(_ p: UnsafeRawPointer) -> SIMD16<Float> {
      let h = SIMD16<Int32>(truncatingIfNeeded: p.loadUnaligned(as: SIMD16<UInt16>.self))
      let magnitude = vdsq_shift_left(h & SIMD16(repeating: 0x7FFF), 13)
      let sign = vdsq_shift_left(h & SIMD16(repeating: 0x8000), 16)
      let value = unsafeBitCast(magnitude, to: SIMD16<Float>.self) * SIMD16(repeating: 0x1p112)
      let special = magnitude .>= 0x0F80_0000
      let bits = unsafeBitCast(value, to: SIMD16<Int32>.self)
        .replacing(with: magnitude | 0x7F80_0000, where: special)
      return unsafeBitCast(bits | sign, to: SIMD16<Float>.self)
    }
  }

  extension KernelTable {
    /// The table for any x86-64 CPU.
    public static func baseline() -> KernelTable { KernelTable(name: "baseline", isa: SSE2.self) }
  }
#elseif arch(arm64)
  /// NEON without extensions: bytes are multiplied to sixteen bits and added pairwise.
  public enum NEON: NEONRegisters {
    @inline(__always)
    public static func dot4(
      _ sums: SIMD4<Int32>, _ a: SIMD4<Int32>, _ b: SIMD4<Int32>
    ) -> SIMD4<Int32> { vdsq_neon_widening_dot(sums, a, b) }
  }

  extension KernelTable {
    /// The table for any aarch64 CPU.
    public static func baseline() -> KernelTable { KernelTable(name: "neon", isa: NEON.self) }
  }
#endif
