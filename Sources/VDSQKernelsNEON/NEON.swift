#if arch(arm64)
  import CShims
  import VDSQKernels

  /// NEON with the dot product extension.
  ///
  /// `sdot` takes signed bytes on both sides, so activations are shifted down by 128 when loaded.
  enum NEON: VectorISA {
    struct Quarters { var q0, q1, q2, q3: SIMD4<Int32> }

    @inline(__always) static var tile: RegisterTile { .rows4Panels1 }
    @inline(__always) static var activationBias: Int32 { 128 }
    @inline(__always) static var zero: Quarters {
      let none = SIMD4<Int32>(repeating: 0)
      return Quarters(q0: none, q1: none, q2: none, q3: none)
    }

    @inline(__always)
    static func loadWeights(_ p: UnsafeRawPointer) -> Quarters {
      Quarters(
        q0: vdsq_neon_load(p), q1: vdsq_neon_load(p + 16), q2: vdsq_neon_load(p + 32),
        q3: vdsq_neon_load(p + 48))
    }

    @inline(__always)
    static func loadActivations(_ p: UnsafeRawPointer) -> SIMD4<Int32> {
      vdsq_neon_splat(p.loadUnaligned(as: UInt32.self) ^ 0x8080_8080)
    }

    @inline(__always)
    static func dot(_ sums: Quarters, _ a: SIMD4<Int32>, _ w: Quarters) -> Quarters {
      Quarters(
        q0: vdsq_neon_sdot(sums.q0, a, w.q0), q1: vdsq_neon_sdot(sums.q1, a, w.q1),
        q2: vdsq_neon_sdot(sums.q2, a, w.q2), q3: vdsq_neon_sdot(sums.q3, a, w.q3))
    }

    @inline(__always)
    static func lanes(_ s: Quarters) -> SIMD16<Int32> {
      SIMD16(
        lowHalf: SIMD8(lowHalf: s.q0, highHalf: s.q1),
        highHalf: SIMD8(lowHalf: s.q2, highHalf: s.q3))
    }

    @inline(__always)
    static func fma(
      _ a: SIMD16<Float>, _ b: SIMD16<Float>, _ c: SIMD16<Float>
    ) -> SIMD16<Float> { vdsq_neon_fma(a, b, c) }

    @inline(__always)
    static func loadHalf(_ p: UnsafeRawPointer) -> SIMD16<Float> { vdsq_neon_load_f16(p) }
  }

  /// Fills in a `KernelTable`. Behind a C symbol, and imported by no Swift module: nothing compiled
  /// for this instruction set may be inlined into, or shared with, code for another.
  @_cdecl("vdsq_kernels_neon")
  public func makeKernelTable(_ table: UnsafeMutableRawPointer) {
    table.initializeMemory(
      as: KernelTable.self, to: KernelTable(name: "neon", isa: NEON.self))
  }
#endif
