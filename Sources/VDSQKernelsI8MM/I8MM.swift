#if arch(arm64)
  public import CShims
  public import VDSQKernels

  /// NEON with the matrix multiplication extension (ARMv8.6): `smmla` multiplies two rows of eight
  /// activations by two of eight weights, twice the products of `sdot`.
  ///
  /// It is faster where rows share weights, in linear layers. Single queries use `sdot`.
  /// Activations of two rows lie side by side in memory; weights are zipped for all rows of a tile.
  enum I8MM: NEONRegisters {
    @inline(__always) static var activationLayout: ActivationLayout { .signedBytePairs }

    @inline(__always)
    static func dot4(
      _ sums: SIMD4<Int32>, _ a: SIMD4<Int32>, _ b: SIMD4<Int32>
    ) -> SIMD4<Int32> { vdsq_neon_sdot(sums, a, b) }

    @inline(__always) static var tileRows: Int { 16 }

    /// Sixteen rows by four outputs at a time, or eight rows by eight if there are no more.
    @inline(never)
    static func multiply(
      _ rows: ActivationRows, _ panel: UnsafeRawPointer, _ quads: Int,
      _ sums: UnsafeMutablePointer<SIMD16<Int32>>
    ) {
      let sums = UnsafeMutableRawPointer(sums).assumingMemoryBound(to: SIMD4<Int32>.self)
      if rows.count > 8 {
        for i in 0..<4 { multiply16(rows, panel + i * 16, quads, sums + i) }
      } else {
        for i in 0..<2 { multiply8(rows, panel + i * 32, quads, sums + 2 * i) }
      }
    }

    /// The sums of two rows and four outputs, two by two.
    struct Pair {
      var left, right: SIMD4<Int32>

      @inline(__always)
      init() { (left, right) = (SIMD4(repeating: 0), SIMD4(repeating: 0)) }

      @inline(__always)
      mutating func add(_ x: SIMD4<Int32>, _ w: Pair) {
        left = vdsq_neon_smmla(left, x, w.left)
        right = vdsq_neon_smmla(right, x, w.right)
      }

      /// Adds both rows to sums that are sixteen outputs apart.
      @inline(__always)
      func add(to sums: UnsafeMutablePointer<SIMD4<Int32>>) {
        sums[0] &+= vdsq_neon_join_low(left, right)
        sums[4] &+= vdsq_neon_join_high(left, right)
      }
    }

    /// Eight columns of four outputs. The second four are zeros where there are no more.
    @inline(__always)
    static func weights(_ p: UnsafeRawPointer, _ isWhole: Bool) -> Pair {
      let low = vdsq_neon_load(p)
      let high = isWhole ? vdsq_neon_load(p + 64) : SIMD4(repeating: 0)
      var pair = Pair()
      pair.left = vdsq_neon_zip_low(low, high)
      pair.right = vdsq_neon_zip_high(low, high)
      return pair
    }

    @inline(__always)
    static func multiply16(
      _ rows: ActivationRows, _ panel: UnsafeRawPointer, _ quads: Int,
      _ sums: UnsafeMutablePointer<SIMD4<Int32>>
    ) {
      let a0 = rows.pair(0), a1 = rows.pair(1), a2 = rows.pair(2), a3 = rows.pair(3)
      let a4 = rows.pair(4), a5 = rows.pair(5), a6 = rows.pair(6), a7 = rows.pair(7)
      var c0 = Pair(), c1 = Pair(), c2 = Pair(), c3 = Pair()
      var c4 = Pair(), c5 = Pair(), c6 = Pair(), c7 = Pair()
      func step(_ quad: Int, _ w: Pair) {
        c0.add(vdsq_neon_load(a0 + quad * 8), w)
        c1.add(vdsq_neon_load(a1 + quad * 8), w)
        c2.add(vdsq_neon_load(a2 + quad * 8), w)
        c3.add(vdsq_neon_load(a3 + quad * 8), w)
        c4.add(vdsq_neon_load(a4 + quad * 8), w)
        c5.add(vdsq_neon_load(a5 + quad * 8), w)
        c6.add(vdsq_neon_load(a6 + quad * 8), w)
        c7.add(vdsq_neon_load(a7 + quad * 8), w)
      }
      var quad = 0
      while quad + 2 <= quads {
        step(quad, weights(panel + quad * 64, true))
        quad += 2
      }
      if quad < quads { step(quad, weights(panel + quad * 64, false)) }
      c0.add(to: sums)
      c1.add(to: sums + 8)
      c2.add(to: sums + 16)
      c3.add(to: sums + 24)
      c4.add(to: sums + 32)
      c5.add(to: sums + 40)
      c6.add(to: sums + 48)
      c7.add(to: sums + 56)
    }

    @inline(__always)
    static func multiply8(
      _ rows: ActivationRows, _ panel: UnsafeRawPointer, _ quads: Int,
      _ sums: UnsafeMutablePointer<SIMD4<Int32>>
    ) {
      let a0 = rows.pair(0), a1 = rows.pair(1), a2 = rows.pair(2), a3 = rows.pair(3)
      var c0 = Pair(), c1 = Pair(), c2 = Pair(), c3 = Pair()
      var d0 = Pair(), d1 = Pair(), d2 = Pair(), d3 = Pair()
      func step(_ quad: Int, _ v: Pair, _ w: Pair) {
        let x0 = vdsq_neon_load(a0 + quad * 8), x1 = vdsq_neon_load(a1 + quad * 8)
        let x2 = vdsq_neon_load(a2 + quad * 8), x3 = vdsq_neon_load(a3 + quad * 8)
        c0.add(x0, v)
        d0.add(x0, w)
        c1.add(x1, v)
        d1.add(x1, w)
        c2.add(x2, v)
        d2.add(x2, w)
        c3.add(x3, v)
        d3.add(x3, w)
      }
      var quad = 0
      while quad + 2 <= quads {
        let p = panel + quad * 64
        step(quad, weights(p, true), weights(p + 16, true))
        quad += 2
      }
      if quad < quads {
        let p = panel + quad * 64
        step(quad, weights(p, false), weights(p + 16, false))
      }
      c0.add(to: sums)
      d0.add(to: sums + 1)
      c1.add(to: sums + 8)
      d1.add(to: sums + 9)
      c2.add(to: sums + 16)
      d2.add(to: sums + 17)
      c3.add(to: sums + 24)
      d3.add(to: sums + 25)
    }
  }

  /// Fills in a `KernelTable`. This is a C symbol that no Swift module imports, because nothing
  /// compiled for this instruction set may be inlined into, or shared with, code for another.
  @_cdecl("vdsq_kernels_i8mm")
  public func makeKernelTable(_ table: UnsafeMutableRawPointer) {
    table.initializeMemory(as: KernelTable.self, to: KernelTable(name: "i8mm", isa: I8MM.self))
  }
#endif
