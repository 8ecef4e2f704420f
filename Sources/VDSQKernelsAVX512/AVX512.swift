#if arch(x86_64)
  import CShims
  import VDSQKernels

  /// AVX-512 with VNNI: `vpdpbusd` multiplies and adds four u8 by s8 products per lane, exactly.
  enum AVX512: VectorISA {
    @inline(__always) static var tile: RegisterTile { .rows8Panels2 }
    @inline(__always) static var activationLayout: ActivationLayout { .bytes }
    @inline(__always) static var activationBias: Int32 { 0 }
    @inline(__always)
    static func accumulator(_ lanes: SIMD16<Int32>) -> SIMD16<Int32> { lanes }
    @inline(__always)
    static func lanes(_ sums: SIMD16<Int32>) -> SIMD16<Int32> { sums }

    @inline(__always)
    static func loadWeights(_ p: UnsafeRawPointer) -> SIMD16<Int32> { vdsq_avx512_load(p) }

    @inline(__always)
    static func loadActivations(_ p: UnsafeRawPointer) -> SIMD16<Int32> {
      vdsq_avx512_splat(p.loadUnaligned(as: UInt32.self))
    }

    @inline(__always)
    static func dot(
      _ sums: SIMD16<Int32>, _ a: SIMD16<Int32>, _ w: SIMD16<Int32>
    ) -> SIMD16<Int32> { vdsq_avx512_dpbusd(sums, a, w) }

    @inline(__always) static var prefersPairs: Bool { true }
    @inline(__always)
    static func dotPairs(
      _ a: SIMD16<Int32>, _ b: SIMD16<Int32>, _ sums: SIMD16<Int32>
    ) -> SIMD16<Int32> { vdsq_avx512_dpwssd(sums, a, b) }

    // Rows become unsigned by adding 128. The sum of the query times 128 is subtracted afterwards.
    @inline(__always) static var rowChunkLength: Int { 64 }
    @inline(__always) static var rowBias: Int32 { 128 }
    @inline(__always) static var queryTile: QueryTile { .queries4 }
    @inline(__always) static var noSums: SIMD16<Int32> { SIMD16(repeating: 0) }
    @inline(__always)
    static func loadRow(_ p: UnsafeRawPointer) -> SIMD16<Int32> {
      vdsq_avx512_add128(vdsq_avx512_load(p))
    }
    @inline(__always)
    static func loadQuery(_ p: UnsafeRawPointer) -> SIMD16<Int32> { vdsq_avx512_load(p) }

    @inline(__always)
    static func dotRow(
      _ sums: SIMD16<Int32>, _ row: SIMD16<Int32>, _ query: SIMD16<Int32>
    ) -> SIMD16<Int32> { vdsq_avx512_dpbusd(sums, row, query) }

    @inline(__always)
    static func add(_ a: SIMD16<Int32>, _ b: SIMD16<Int32>) -> SIMD16<Int32> { a &+ b }

    @inline(__always)
    static func totals(
      _ a: SIMD16<Int32>, _ b: SIMD16<Int32>, _ c: SIMD16<Int32>, _ d: SIMD16<Int32>
    ) -> SIMD4<Int32> {
      let pairs = vdsq_avx512_pairs(vdsq_avx512_pairs(a, b), vdsq_avx512_pairs(c, d))
      let quarters = pairs.evenHalf &+ pairs.oddHalf
      return quarters.evenHalf &+ quarters.oddHalf
    }

    @inline(__always)
    static func lookup(_ table: UnsafeRawPointer, _ indices: SIMD64<UInt8>) -> SIMD64<UInt8> {
      vdsq_avx512_lookup(table, indices)
    }

    @inline(__always)
    static func fma(
      _ a: SIMD16<Float>, _ b: SIMD16<Float>, _ c: SIMD16<Float>
    ) -> SIMD16<Float> { vdsq_avx512_fma(a, b, c) }

    @inline(__always)
    static func loadHalf(_ p: UnsafeRawPointer) -> SIMD16<Float> { vdsq_avx512_load_f16(p) }
  }

  /// Fills in a `KernelTable`. This is a C symbol that no Swift module imports, because nothing
  /// compiled for this instruction set may be inlined into, or shared with, code for another.
  @_cdecl("vdsq_kernels_avx512")
  public func makeKernelTable(_ table: UnsafeMutableRawPointer) {
    table.initializeMemory(
      as: KernelTable.self, to: KernelTable(name: "avx512", isa: AVX512.self))
  }
#endif
