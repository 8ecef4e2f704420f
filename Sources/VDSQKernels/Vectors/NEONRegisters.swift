#if arch(arm64)
  public import CShims

  /// NEON with four 128-bit registers per vector. Extensions differ in the dot product of four
  /// signed bytes.
  ///
  /// The dot product takes signed bytes on both sides, so activations are
  /// stored less 128.
  public protocol NEONRegisters: VectorISA
  where
    Accumulator == Quarters, WeightQuads == Quarters, ActivationQuad == SIMD4<Int32>,
    RowSums == SIMD4<Int32>, RowChunk == SIMD4<Int32>, QueryChunk == SIMD4<Int32>
  {
    /// Adds the products of four signed bytes to each lane.
    static func dot4(
      _ sums: SIMD4<Int32>, _ a: SIMD4<Int32>, _ b: SIMD4<Int32>
    ) -> SIMD4<Int32>
  }

  @frozen
  public struct Quarters {
    public var q0, q1, q2, q3: SIMD4<Int32>

    @_alwaysEmitIntoClient @inline(__always)
    public init(
      _ q0: SIMD4<Int32>, _ q1: SIMD4<Int32>, _ q2: SIMD4<Int32>, _ q3: SIMD4<Int32>
    ) {
      (self.q0, self.q1, self.q2, self.q3) = (q0, q1, q2, q3)
    }
  }

  extension NEONRegisters {
    @_alwaysEmitIntoClient @inline(__always)
    public static var tile: RegisterTile { .rows8Halves }
    @_alwaysEmitIntoClient @inline(__always)
    public static var activationLayout: ActivationLayout { .signedBytes }
    @_alwaysEmitIntoClient @inline(__always)
    public static var activationBias: Int32 { 128 }

    @_alwaysEmitIntoClient @inline(__always)
    public static func accumulator(_ lanes: SIMD16<Int32>) -> Quarters {
      Quarters(
        lanes.lowHalf.lowHalf, lanes.lowHalf.highHalf, lanes.highHalf.lowHalf,
        lanes.highHalf.highHalf)
    }

    @_alwaysEmitIntoClient @inline(__always)
    public static func lanes(_ s: Quarters) -> SIMD16<Int32> {
      SIMD16(
        lowHalf: SIMD8(lowHalf: s.q0, highHalf: s.q1),
        highHalf: SIMD8(lowHalf: s.q2, highHalf: s.q3))
    }

    // NEON multiplies and adds int16 no faster than floats, and does not add neighbours.
    @_alwaysEmitIntoClient @inline(__always)
    public static var prefersPairs: Bool { false }
    @_alwaysEmitIntoClient @inline(__always)
    public static func dotPairs(
      _ a: SIMD16<Int32>, _ b: SIMD16<Int32>, _ sums: SIMD16<Int32>
    ) -> SIMD16<Int32> {
      let low =
        vdsq_shift_right(vdsq_shift_left(a, 16), 16)
        &* vdsq_shift_right(vdsq_shift_left(b, 16), 16)
      return sums &+ low &+ vdsq_shift_right(a, 16) &* vdsq_shift_right(b, 16)
    }

    @_alwaysEmitIntoClient @inline(__always)
    public static func loadWeights(_ p: UnsafeRawPointer) -> Quarters {
      Quarters(
        vdsq_neon_load(p), vdsq_neon_load(p + 16), vdsq_neon_load(p + 32), vdsq_neon_load(p + 48))
    }

    @_alwaysEmitIntoClient @inline(__always)
    public static func loadActivations(_ p: UnsafeRawPointer) -> SIMD4<Int32> {
      vdsq_neon_opaque(vdsq_neon_load_splat(p))
    }

    @_alwaysEmitIntoClient @inline(__always)
    public static func dot(_ s: Quarters, _ a: SIMD4<Int32>, _ w: Quarters) -> Quarters {
      Quarters(dot4(s.q0, a, w.q0), dot4(s.q1, a, w.q1), dot4(s.q2, a, w.q2), dot4(s.q3, a, w.q3))
    }

    @_alwaysEmitIntoClient @inline(__always)
    public static var rowChunkLength: Int { 16 }
    @_alwaysEmitIntoClient @inline(__always)
    public static var rowBias: Int32 { 0 }
    @_alwaysEmitIntoClient @inline(__always)
    public static var queryTile: QueryTile { .queries4 }
    @_alwaysEmitIntoClient @inline(__always)
    public static var noSums: SIMD4<Int32> { SIMD4(repeating: 0) }

    @_alwaysEmitIntoClient @inline(__always)
    public static func loadRow(_ p: UnsafeRawPointer) -> SIMD4<Int32> { vdsq_neon_load(p) }
    @_alwaysEmitIntoClient @inline(__always)
    public static func loadQuery(_ p: UnsafeRawPointer) -> SIMD4<Int32> { vdsq_neon_load(p) }

    @_alwaysEmitIntoClient @inline(__always)
    public static func dotRow(
      _ s: SIMD4<Int32>, _ row: SIMD4<Int32>, _ query: SIMD4<Int32>
    ) -> SIMD4<Int32> { dot4(s, row, query) }

    @_alwaysEmitIntoClient @inline(__always)
    public static func add(_ a: SIMD4<Int32>, _ b: SIMD4<Int32>) -> SIMD4<Int32> { a &+ b }

    @_alwaysEmitIntoClient @inline(__always)
    public static func totals(
      _ a: SIMD4<Int32>, _ b: SIMD4<Int32>, _ c: SIMD4<Int32>, _ d: SIMD4<Int32>
    ) -> SIMD4<Int32> { vdsq_neon_sums(a, b, c, d) }

    @_alwaysEmitIntoClient @inline(__always)
    public static func lookup(
      _ table: UnsafeRawPointer, _ indices: SIMD64<UInt8>
    ) -> SIMD64<UInt8> {
      let low = indices.lowHalf, high = indices.highHalf
      return SIMD64(
        lowHalf: SIMD32(
          lowHalf: vdsq_neon_lookup(table, low.lowHalf),
          highHalf: vdsq_neon_lookup(table, low.highHalf)),
        highHalf: SIMD32(
          lowHalf: vdsq_neon_lookup(table, high.lowHalf),
          highHalf: vdsq_neon_lookup(table, high.highHalf)))
    }

    @_alwaysEmitIntoClient @inline(__always)
    public static func fma(
      _ a: SIMD16<Float>, _ b: SIMD16<Float>, _ c: SIMD16<Float>
    ) -> SIMD16<Float> { vdsq_neon_fma(a, b, c) }

    @_alwaysEmitIntoClient @inline(__always)
    public static func loadHalf(_ p: UnsafeRawPointer) -> SIMD16<Float> { vdsq_neon_load_f16(p) }
  }
#endif
