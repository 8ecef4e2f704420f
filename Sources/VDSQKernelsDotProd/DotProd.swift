#if arch(arm64)
  public import CShims
  public import VDSQKernels

  /// NEON with the dot product extension (ARMv8.2): `sdot`.
  enum DotProd: NEONRegisters {
    @inline(__always)
    static func dot4(
      _ sums: SIMD4<Int32>, _ a: SIMD4<Int32>, _ b: SIMD4<Int32>
    ) -> SIMD4<Int32> { vdsq_neon_sdot(sums, a, b) }

    @inline(__always) static var tileRows: Int { 8 }

    /// Eight rows by half a panel, twice, or four rows if there are no more. Sixteen activations of
    /// each row are loaded at once; an instruction multiplies four of them with the weights of four
    /// outputs.
    @inline(never)
    static func multiply(
      _ rows: ActivationRows, _ panel: UnsafeRawPointer, _ quads: Int,
      _ sums: UnsafeMutablePointer<SIMD16<Int32>>
    ) {
      if rows.count > 4 {
        for half in 0..<2 {
          multiply8(
            rows, panel + half * 32, quads,
            UnsafeMutableRawPointer(sums).assumingMemoryBound(to: Eight.self) + half)
        }
      } else {
        multiply4(rows, panel, quads, sums)
      }
    }

    typealias Dot = (SIMD4<Int32>, SIMD4<Int32>, SIMD4<Int32>) -> SIMD4<Int32>

    @inline(__always)
    static func multiply4(
      _ rows: ActivationRows, _ panel: UnsafeRawPointer, _ quads: Int,
      _ sums: UnsafeMutablePointer<SIMD16<Int32>>
    ) {
      let a0 = rows[0], a1 = rows[1], a2 = rows[2], a3 = rows[3]
      var c0 = accumulator(sums[0]), c1 = accumulator(sums[1])
      var c2 = accumulator(sums[2]), c3 = accumulator(sums[3])
      func step(
        _ p: UnsafeRawPointer, _ x0: SIMD4<Int32>, _ x1: SIMD4<Int32>, _ x2: SIMD4<Int32>,
        _ x3: SIMD4<Int32>, _ dot: Dot
      ) {
        let w = loadWeights(p)
        func row(_ c: Quarters, _ x: SIMD4<Int32>) -> Quarters {
          Quarters(dot(c.q0, w.q0, x), dot(c.q1, w.q1, x), dot(c.q2, w.q2, x), dot(c.q3, w.q3, x))
        }
        (c0, c1, c2, c3) = (row(c0, x0), row(c1, x1), row(c2, x2), row(c3, x3))
      }
      var quad = 0
      while quad + 4 <= quads {
        let at = quad * 4, p = panel + quad * 64
        let x0 = vdsq_neon_load(a0 + at), x1 = vdsq_neon_load(a1 + at)
        let x2 = vdsq_neon_load(a2 + at), x3 = vdsq_neon_load(a3 + at)
        step(p, x0, x1, x2, x3) { vdsq_neon_sdot_lane0($0, $1, $2) }
        step(p + 64, x0, x1, x2, x3) { vdsq_neon_sdot_lane1($0, $1, $2) }
        step(p + 128, x0, x1, x2, x3) { vdsq_neon_sdot_lane2($0, $1, $2) }
        step(p + 192, x0, x1, x2, x3) { vdsq_neon_sdot_lane3($0, $1, $2) }
        quad += 4
      }
      while quad < quads {
        let at = quad * 4
        step(
          panel + quad * 64, loadActivations(a0 + at), loadActivations(a1 + at),
          loadActivations(a2 + at), loadActivations(a3 + at)
        ) { vdsq_neon_sdot($0, $1, $2) }
        quad += 1
      }
      (sums[0], sums[1], sums[2], sums[3]) = (lanes(c0), lanes(c1), lanes(c2), lanes(c3))
    }

    /// The sums of eight outputs.
    struct Eight { var low, high: SIMD4<Int32> }

    /// `sums` are sixteen outputs from one row to the next.
    @inline(__always)
    static func multiply8(
      _ rows: ActivationRows, _ panel: UnsafeRawPointer, _ quads: Int,
      _ sums: UnsafeMutablePointer<Eight>
    ) {
      let a0 = rows[0], a1 = rows[1], a2 = rows[2], a3 = rows[3]
      let a4 = rows[4], a5 = rows[5], a6 = rows[6], a7 = rows[7]
      var c0 = sums[0], c1 = sums[2], c2 = sums[4], c3 = sums[6]
      var c4 = sums[8], c5 = sums[10], c6 = sums[12], c7 = sums[14]
      func step(
        _ p: UnsafeRawPointer, _ x0: SIMD4<Int32>, _ x1: SIMD4<Int32>, _ x2: SIMD4<Int32>,
        _ x3: SIMD4<Int32>, _ x4: SIMD4<Int32>, _ x5: SIMD4<Int32>, _ x6: SIMD4<Int32>,
        _ x7: SIMD4<Int32>, _ dot: Dot
      ) {
        let low = vdsq_neon_load(p), high = vdsq_neon_load(p + 16)
        c0 = Eight(low: dot(c0.low, low, x0), high: dot(c0.high, high, x0))
        c1 = Eight(low: dot(c1.low, low, x1), high: dot(c1.high, high, x1))
        c2 = Eight(low: dot(c2.low, low, x2), high: dot(c2.high, high, x2))
        c3 = Eight(low: dot(c3.low, low, x3), high: dot(c3.high, high, x3))
        c4 = Eight(low: dot(c4.low, low, x4), high: dot(c4.high, high, x4))
        c5 = Eight(low: dot(c5.low, low, x5), high: dot(c5.high, high, x5))
        c6 = Eight(low: dot(c6.low, low, x6), high: dot(c6.high, high, x6))
        c7 = Eight(low: dot(c7.low, low, x7), high: dot(c7.high, high, x7))
      }
      var quad = 0
      while quad + 4 <= quads {
        let at = quad * 4, p = panel + quad * 64
        let x0 = vdsq_neon_load(a0 + at), x1 = vdsq_neon_load(a1 + at)
        let x2 = vdsq_neon_load(a2 + at), x3 = vdsq_neon_load(a3 + at)
        let x4 = vdsq_neon_load(a4 + at), x5 = vdsq_neon_load(a5 + at)
        let x6 = vdsq_neon_load(a6 + at), x7 = vdsq_neon_load(a7 + at)
        step(p, x0, x1, x2, x3, x4, x5, x6, x7) { vdsq_neon_sdot_lane0($0, $1, $2) }
        step(p + 64, x0, x1, x2, x3, x4, x5, x6, x7) { vdsq_neon_sdot_lane1($0, $1, $2) }
        step(p + 128, x0, x1, x2, x3, x4, x5, x6, x7) { vdsq_neon_sdot_lane2($0, $1, $2) }
        step(p + 192, x0, x1, x2, x3, x4, x5, x6, x7) { vdsq_neon_sdot_lane3($0, $1, $2) }
        quad += 4
      }
      while quad < quads {
        func activations(_ row: UnsafeRawPointer) -> SIMD4<Int32> {
          loadActivations(row + quad * 4)
        }
        step(
          panel + quad * 64, activations(a0), activations(a1), activations(a2), activations(a3),
          activations(a4), activations(a5), activations(a6), activations(a7)
        ) { vdsq_neon_sdot($0, $1, $2) }
        quad += 1
      }
      (sums[0], sums[2], sums[4], sums[6]) = (c0, c1, c2, c3)
      (sums[8], sums[10], sums[12], sums[14]) = (c4, c5, c6, c7)
    }
  }

  /// Fills in a `KernelTable`. This is a C symbol that no Swift module imports, because nothing
  /// compiled for this instruction set may be inlined into, or shared with, code for another.
  @_cdecl("vdsq_kernels_dotprod")
  public func makeKernelTable(_ table: UnsafeMutableRawPointer) {
    table.initializeMemory(
      as: KernelTable.self, to: KernelTable(name: "dotprod", isa: DotProd.self))
  }
#endif
