#if arch(arm64)
  public import CShims
  public import VDSQKernels

  /// NEON with the matrix multiplication extension (ARMv8.6): `usmmla` multiplies two rows of eight
  /// activations by two of eight weights, twice the products of `sdot`.
  ///
  /// It is faster where rows share weights, in linear layers. Single queries use `sdot`.
  enum I8MM: NEONRegisters {
    // `usmmla` takes unsigned activations as they are.
    @inline(__always) static var activationBias: Int32 { 0 }

    @inline(__always)
    static func dot4(
      _ sums: SIMD4<Int32>, _ a: SIMD4<Int32>, _ b: SIMD4<Int32>
    ) -> SIMD4<Int32> { vdsq_neon_sdot(sums, a, b) }

    /// Rows 0 and 1, and rows 2 and 3, by sixteen outputs. A register holds two by two sums.
    @inline(__always)
    static func rows4(
      _ a: FourRows, _ panel: UnsafeRawPointer, _ quads: Int, _ sums: inout Lanes4
    ) {
      let none = SIMD4<Int32>(repeating: 0)
      var p0 = none, p1 = none, p2 = none, p3 = none
      var p4 = none, p5 = none, p6 = none, p7 = none
      var s0 = none, s1 = none, s2 = none, s3 = none
      var s4 = none, s5 = none, s6 = none, s7 = none
      var quad = 0
      while quad < quads {
        let w = panel + quad * 64
        let x: SIMD4<Int32>, y: SIMD4<Int32>
        let paired = quad + 1 < quads
        if paired {
          x = vdsq_neon_load_pair(a.a0 + quad * 4, a.a1 + quad * 4)
          y = vdsq_neon_load_pair(a.a2 + quad * 4, a.a3 + quad * 4)
        } else {
          // An odd last group of four columns is multiplied by zeros.
          func half(_ p: UnsafeRawPointer) -> Int32 {
            (p + quad * 4).loadUnaligned(as: Int32.self)
          }
          x = SIMD4(half(a.a0), 0, half(a.a1), 0)
          y = SIMD4(half(a.a2), 0, half(a.a3), 0)
        }
        let next = paired ? w + 64 : w
        let l0 = vdsq_neon_load(w), h0 = vdsq_neon_load(next)
        let l1 = vdsq_neon_load(w + 16), h1 = vdsq_neon_load(next + 16)
        let l2 = vdsq_neon_load(w + 32), h2 = vdsq_neon_load(next + 32)
        let l3 = vdsq_neon_load(w + 48), h3 = vdsq_neon_load(next + 48)
        var b = vdsq_neon_zip_low(l0, h0)
        p0 = vdsq_neon_usmmla(p0, x, b)
        s0 = vdsq_neon_usmmla(s0, y, b)
        b = vdsq_neon_zip_high(l0, h0)
        p1 = vdsq_neon_usmmla(p1, x, b)
        s1 = vdsq_neon_usmmla(s1, y, b)
        b = vdsq_neon_zip_low(l1, h1)
        p2 = vdsq_neon_usmmla(p2, x, b)
        s2 = vdsq_neon_usmmla(s2, y, b)
        b = vdsq_neon_zip_high(l1, h1)
        p3 = vdsq_neon_usmmla(p3, x, b)
        s3 = vdsq_neon_usmmla(s3, y, b)
        b = vdsq_neon_zip_low(l2, h2)
        p4 = vdsq_neon_usmmla(p4, x, b)
        s4 = vdsq_neon_usmmla(s4, y, b)
        b = vdsq_neon_zip_high(l2, h2)
        p5 = vdsq_neon_usmmla(p5, x, b)
        s5 = vdsq_neon_usmmla(s5, y, b)
        b = vdsq_neon_zip_low(l3, h3)
        p6 = vdsq_neon_usmmla(p6, x, b)
        s6 = vdsq_neon_usmmla(s6, y, b)
        b = vdsq_neon_zip_high(l3, h3)
        p7 = vdsq_neon_usmmla(p7, x, b)
        s7 = vdsq_neon_usmmla(s7, y, b)
        quad += 2
      }
      add(&sums.c0, &sums.c1, (p0, p1, p2, p3, p4, p5, p6, p7))
      add(&sums.c2, &sums.c3, (s0, s1, s2, s3, s4, s5, s6, s7))
    }

    typealias Pairs = (
      SIMD4<Int32>, SIMD4<Int32>, SIMD4<Int32>, SIMD4<Int32>,
      SIMD4<Int32>, SIMD4<Int32>, SIMD4<Int32>, SIMD4<Int32>
    )

    /// Rearranges two by two sums to two rows of sixteen.
    @inline(__always)
    static func add(_ first: inout SIMD16<Int32>, _ second: inout SIMD16<Int32>, _ p: Pairs) {
      func row(
        _ a: SIMD2<Int32>, _ b: SIMD2<Int32>, _ c: SIMD2<Int32>, _ d: SIMD2<Int32>
      ) -> SIMD8<Int32> {
        SIMD8(lowHalf: SIMD4(lowHalf: a, highHalf: b), highHalf: SIMD4(lowHalf: c, highHalf: d))
      }
      first =
        first
        &+ SIMD16(
          lowHalf: row(p.0.lowHalf, p.1.lowHalf, p.2.lowHalf, p.3.lowHalf),
          highHalf: row(p.4.lowHalf, p.5.lowHalf, p.6.lowHalf, p.7.lowHalf))
      second =
        second
        &+ SIMD16(
          lowHalf: row(p.0.highHalf, p.1.highHalf, p.2.highHalf, p.3.highHalf),
          highHalf: row(p.4.highHalf, p.5.highHalf, p.6.highHalf, p.7.highHalf))
    }
  }

  /// Fills in a `KernelTable`. This is a C symbol that no Swift module imports, because nothing
  /// compiled for this instruction set may be inlined into, or shared with, code for another.
  @_cdecl("vdsq_kernels_i8mm")
  public func makeKernelTable(_ table: UnsafeMutableRawPointer) {
    table.initializeMemory(as: KernelTable.self, to: KernelTable(name: "i8mm", isa: I8MM.self))
  }
#endif
