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

    @inline(__always)
    public static func loadHalf(_ p: UnsafeRawPointer) -> SIMD16<Float> { vdsq_sse2_load_f16(p) }
  }

  /// Fills in the `KernelTable` for any CPU of the architecture. It is a C symbol like those of the
  /// other tables, because an Embedded program would otherwise compile the kernels once more in
  /// every module that calls it, with the flags of that module.
  @_cdecl("vdsq_kernels_baseline")
  public func makeKernelTable(_ table: UnsafeMutableRawPointer) {
    table.initializeMemory(
      as: KernelTable.self, to: KernelTable(name: "baseline", isa: SSE2.self))
  }
#elseif arch(arm64)
  /// NEON without extensions: bytes are multiplied to sixteen bits and added pairwise.
  public enum NEON: NEONRegisters {
    @inline(__always)
    public static func dot4(
      _ sums: SIMD4<Int32>, _ a: SIMD4<Int32>, _ b: SIMD4<Int32>
    ) -> SIMD4<Int32> { vdsq_neon_widening_dot(sums, a, b) }

    /// Four rows by half a panel, twice: products of two groups of four columns are added in
    /// sixteen bits, then as pairs, so a register holds two sums of each of two outputs.
    @inline(never)
    public static func multiply(
      _ rows: ActivationRows, _ panel: UnsafeRawPointer, _ quads: Int,
      _ sums: UnsafeMutablePointer<SIMD16<Int32>>
    ) {
      for half in 0..<2 {
        multiply(
          rows, panel + half * 32, quads,
          UnsafeMutableRawPointer(sums).assumingMemoryBound(to: SIMD8<Int32>.self) + half)
      }
    }

    /// `sums` are sixteen outputs from one row to the next.
    @inline(__always)
    static func multiply(
      _ rows: ActivationRows, _ panel: UnsafeRawPointer, _ quads: Int,
      _ sums: UnsafeMutablePointer<SIMD8<Int32>>
    ) {
      let a0 = rows[0], a1 = rows[1], a2 = rows[2], a3 = rows[3]
      let none = SIMD4<Int32>(repeating: 0)
      var r0 = Quarters(none, none, none, none), r1 = r0, r2 = r0, r3 = r0
      /// Two rows by two groups of columns, `x` and `y`, and `v` and `w`. Three dependent
      /// instructions are eight apart, which hides their latency on in-order CPUs.
      func add(
        _ r: inout Quarters, _ s: inout Quarters, _ x: SIMD4<Int32>, _ y: SIMD4<Int32>,
        _ v: SIMD4<Int32>, _ w: SIMD4<Int32>, _ l0: SIMD4<Int32>, _ l1: SIMD4<Int32>,
        _ h0: SIMD4<Int32>, _ h1: SIMD4<Int32>
      ) {
        let p0 = vdsq_neon_mul_low(x, l0), p1 = vdsq_neon_mul_high(x, l0)
        let p2 = vdsq_neon_mul_low(x, l1), p3 = vdsq_neon_mul_high(x, l1)
        let p4 = vdsq_neon_mul_low(v, l0), p5 = vdsq_neon_mul_high(v, l0)
        let p6 = vdsq_neon_mul_low(v, l1), p7 = vdsq_neon_mul_high(v, l1)
        r.q0 = vdsq_neon_add_pairs_i16(r.q0, vdsq_neon_add_low(p0, y, h0))
        r.q1 = vdsq_neon_add_pairs_i16(r.q1, vdsq_neon_add_high(p1, y, h0))
        r.q2 = vdsq_neon_add_pairs_i16(r.q2, vdsq_neon_add_low(p2, y, h1))
        r.q3 = vdsq_neon_add_pairs_i16(r.q3, vdsq_neon_add_high(p3, y, h1))
        s.q0 = vdsq_neon_add_pairs_i16(s.q0, vdsq_neon_add_low(p4, w, h0))
        s.q1 = vdsq_neon_add_pairs_i16(s.q1, vdsq_neon_add_high(p5, w, h0))
        s.q2 = vdsq_neon_add_pairs_i16(s.q2, vdsq_neon_add_low(p6, w, h1))
        s.q3 = vdsq_neon_add_pairs_i16(s.q3, vdsq_neon_add_high(p7, w, h1))
      }
      var quad = 0
      while quad + 2 <= quads {
        let p = panel + quad * 64, at = quad * 4
        var l0 = vdsq_neon_load(p), l1 = vdsq_neon_load(p + 16)
        var h0 = vdsq_neon_load(p + 64), h1 = vdsq_neon_load(p + 80)
        var x = vdsq_neon_load_splat(a0 + at), y = vdsq_neon_load_splat(a0 + at + 4)
        var v = vdsq_neon_load_splat(a1 + at), w = vdsq_neon_load_splat(a1 + at + 4)
        vdsq_neon_loaded(&l0, &l1, &h0, &h1)
        vdsq_neon_loaded(&x, &y, &v, &w)
        add(&r0, &r1, x, y, v, w, l0, l1, h0, h1)
        x = vdsq_neon_load_splat(a2 + at)
        y = vdsq_neon_load_splat(a2 + at + 4)
        v = vdsq_neon_load_splat(a3 + at)
        w = vdsq_neon_load_splat(a3 + at + 4)
        vdsq_neon_loaded(&x, &y, &v, &w)
        add(&r2, &r3, x, y, v, w, l0, l1, h0, h1)
        quad += 2
      }
      if quad < quads {
        // Products of zeros in place of the second group.
        let p = panel + quad * 64, at = quad * 4
        let l0 = vdsq_neon_load(p), l1 = vdsq_neon_load(p + 16)
        add(
          &r0, &r1, loadActivations(a0 + at), none, loadActivations(a1 + at), none, l0, l1, none,
          none)
        add(
          &r2, &r3, loadActivations(a2 + at), none, loadActivations(a3 + at), none, l0, l1, none,
          none)
      }
      func add(_ r: Quarters, _ row: Int) {
        sums[2 * row] &+= SIMD8(
          lowHalf: vdsq_neon_pairs(r.q0, r.q1), highHalf: vdsq_neon_pairs(r.q2, r.q3))
      }
      add(r0, 0)
      add(r1, 1)
      add(r2, 2)
      add(r3, 3)
    }
  }

  /// Fills in the `KernelTable` for any CPU of the architecture. It is a C symbol like those of the
  /// other tables, because an Embedded program would otherwise compile the kernels once more in
  /// every module that calls it, with the flags of that module.
  @_cdecl("vdsq_kernels_baseline")
  public func makeKernelTable(_ table: UnsafeMutableRawPointer) {
    table.initializeMemory(
      as: KernelTable.self, to: KernelTable(name: "neon", isa: NEON.self))
  }
#endif
