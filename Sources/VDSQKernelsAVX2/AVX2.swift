#if arch(x86_64)
  import CShims
  import VDSQKernels

  /// AVX2, FMA and F16C.
  ///
  /// `vpmaddubsw` would saturate at 16 bits for u8 activations. So weights are split into even and
  /// odd bytes, widened to int16, once per panel for all rows of the tile, and `vpmaddwd`
  /// multiplies them exactly. Activations have the matching layout in memory.
  enum AVX2: VectorISA {
    struct Accumulator { var low, high: SIMD8<Int32> }
    struct WeightQuads { var lowEven, lowOdd, highEven, highOdd: SIMD8<Int32> }
    struct ActivationQuad { var even, odd: SIMD8<Int32> }

    @inline(__always) static var tile: RegisterTile { .rows4Panels1 }
    @inline(__always) static var activationLayout: ActivationLayout { .evenOddWords }
    @inline(__always) static var activationBias: Int32 { 0 }

    @inline(__always)
    static func accumulator(_ lanes: SIMD16<Int32>) -> Accumulator {
      Accumulator(low: lanes.lowHalf, high: lanes.highHalf)
    }

    @inline(__always)
    static func lanes(_ sums: Accumulator) -> SIMD16<Int32> { vdsq_avx2_join(sums.low, sums.high) }

    @inline(__always)
    static func loadWeights(_ p: UnsafeRawPointer) -> WeightQuads {
      let low = vdsq_avx2_load(p), high = vdsq_avx2_load(p + 32)
      return WeightQuads(
        lowEven: vdsq_avx2_even_i8(low), lowOdd: vdsq_avx2_odd_i8(low),
        highEven: vdsq_avx2_even_i8(high), highOdd: vdsq_avx2_odd_i8(high))
    }

    @inline(__always)
    static func loadActivations(_ p: UnsafeRawPointer) -> ActivationQuad {
      ActivationQuad(
        even: vdsq_avx2_splat(p.loadUnaligned(as: UInt32.self)),
        odd: vdsq_avx2_splat(p.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
    }

    @inline(__always)
    static func dot(_ sums: Accumulator, _ a: ActivationQuad, _ w: WeightQuads) -> Accumulator {
      Accumulator(
        low: vdsq_avx2_madd(vdsq_avx2_madd(sums.low, a.even, w.lowEven), a.odd, w.lowOdd),
        high: vdsq_avx2_madd(vdsq_avx2_madd(sums.high, a.even, w.highEven), a.odd, w.highOdd))
    }

    @inline(__always) static var prefersPairs: Bool { true }
    @inline(__always)
    static func dotPairs(
      _ a: SIMD16<Int32>, _ b: SIMD16<Int32>, _ sums: SIMD16<Int32>
    ) -> SIMD16<Int32> {
      vdsq_avx2_join(
        vdsq_avx2_madd(sums.lowHalf, a.lowHalf, b.lowHalf),
        vdsq_avx2_madd(sums.highHalf, a.highHalf, b.highHalf))
    }

    @inline(__always) static var rowChunkLength: Int { 32 }
    @inline(__always) static var rowBias: Int32 { 0 }
    @inline(__always) static var queryTile: QueryTile { .queries2 }
    @inline(__always) static var noSums: SIMD8<Int32> { SIMD8(repeating: 0) }
    @inline(__always)
    static func loadRow(_ p: UnsafeRawPointer) -> SIMD8<Int32> { vdsq_avx2_load(p) }
    @inline(__always)
    static func loadQuery(_ p: UnsafeRawPointer) -> SIMD8<Int32> { vdsq_avx2_load(p) }

    @inline(__always)
    static func dotRow(
      _ sums: SIMD8<Int32>, _ row: SIMD8<Int32>, _ query: SIMD8<Int32>
    ) -> SIMD8<Int32> { vdsq_avx2_dot_s8(sums, row, query) }

    @inline(__always)
    static func add(_ a: SIMD8<Int32>, _ b: SIMD8<Int32>) -> SIMD8<Int32> { a &+ b }

    @inline(__always)
    static func totals(
      _ a: SIMD8<Int32>, _ b: SIMD8<Int32>, _ c: SIMD8<Int32>, _ d: SIMD8<Int32>
    ) -> SIMD4<Int32> { vdsq_avx2_sums(a, b, c, d) }

    @inline(__always)
    static func lookup(_ table: UnsafeRawPointer, _ indices: SIMD64<UInt8>) -> SIMD64<UInt8> {
      SIMD64(
        lowHalf: vdsq_avx2_lookup(table, indices.lowHalf),
        highHalf: vdsq_avx2_lookup(table, indices.highHalf))
    }

    @inline(__always)
    static func fma(
      _ a: SIMD16<Float>, _ b: SIMD16<Float>, _ c: SIMD16<Float>
    ) -> SIMD16<Float> { vdsq_avx2_fma(a, b, c) }

    @inline(__always)
    static func loadHalf(_ p: UnsafeRawPointer) -> SIMD16<Float> { vdsq_avx2_load_f16(p) }
  }

  /// Fills in a `KernelTable`. This is a C symbol that no Swift module imports, because nothing
  /// compiled for this instruction set may be inlined into, or shared with, code for another.
  @_cdecl("vdsq_kernels_avx2")
  public func makeKernelTable(_ table: UnsafeMutableRawPointer) {
    table.initializeMemory(
      as: KernelTable.self, to: KernelTable(name: "avx2", isa: AVX2.self))
  }
#endif
