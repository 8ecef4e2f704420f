public import CShims

/// Turns four-bit weights into the int8 of their groups: eight times each, minus its zero point.
@frozen @usableFromInline
struct FourBitUnpacker {
  /// In each byte, 128 keeps differences positive, so that none borrows from its neighbour; then it
  /// becomes the sign of two's complement.
  @usableFromInline let shift: SIMD16<Int32>

  /// - Parameter zeroPoints: 16 bytes, one per row, 0...120.
  @_alwaysEmitIntoClient @inline(__always)
  init(zeroPoints: UnsafeRawPointer) {
    let zeros = vdsq_widen_i8(zeroPoints.loadUnaligned(as: SIMD16<Int8>.self))
    shift = Self.sign &- zeros &* SIMD16(repeating: 0x0101_0101)
  }

  @_alwaysEmitIntoClient @inline(__always)
  static var sign: SIMD16<Int32> { SIMD16(repeating: Int32(bitPattern: 0x8080_8080)) }

  /// The int8 of two quads of sixteen rows.
  @_alwaysEmitIntoClient @inline(__always)
  func quads(_ packed: UnsafeRawPointer) -> (first: SIMD16<Int32>, second: SIMD16<Int32>) {
    let pair = packed.loadUnaligned(as: SIMD16<Int32>.self)
    let mask = SIMD16<Int32>(repeating: 0x7878_7878)
    return (
      ((vdsq_shift_left(pair, 3) & mask) &+ shift) ^ Self.sign,
      ((vdsq_shift_right(pair, 1) & mask) &+ shift) ^ Self.sign
    )
  }
}

extension GenericKernels {
  /// Unpacks a group of columns of a panel of four-bit weights to int8, in the layout of int8
  /// panels: eight times each weight, minus its zero point.
  ///
  /// - Parameters:
  ///   - packed: `[quads / 2][16][4]` bytes; the low bits belong to the first quad of two.
  ///   - quads: four columns each, an even number.
  ///   - zeroPoints: 16 bytes, one per row, 0...120.
  ///   - out: `quads * 64` bytes.
  @_alwaysEmitIntoClient @inline(__always)
  static func unpack(
    _ packed: UnsafeRawPointer, quads: Int, zeroPoints: UnsafeRawPointer,
    into out: UnsafeMutableRawPointer
  ) {
    let unpacker = FourBitUnpacker(zeroPoints: zeroPoints)
    var quad = 0
    while quad < quads {
      let pair = unpacker.quads(packed + quad * 32)
      out.storeBytes(of: pair.first, toByteOffset: quad * 64, as: SIMD16<Int32>.self)
      out.storeBytes(of: pair.second, toByteOffset: quad * 64 + 64, as: SIMD16<Int32>.self)
      quad += 2
    }
  }

  /// Calls `body` with the int8 weights of a group of columns of a panel, `[quads][16][4]`.
  @_alwaysEmitIntoClient @inline(__always)
  static func withGroup(
    _ w: WeightPanels, _ groups: WeightGroups, panel: Int, group: Int,
    _ body: (_ weights: UnsafeRawPointer, _ quads: Int) -> Void
  ) {
    let first = group * groups.length / 4
    let quads = min(groups.length / 4, (w.inputs + 3) / 4 - first)
    let own = w.weights + panel * w.panelStride
    guard w.element == .int4, let zeroPoints = groups.zeroPoints else {
      return body(own + first * 64, quads)
    }
    // Groups have at most 64 columns. These are 1,024 bytes, the most that the stack takes.
    withUnsafeTemporaryAllocation(of: SIMD16<Int32>.self, capacity: 16) {
      let scratch = UnsafeMutableRawPointer($0.baseAddress!)
      unpack(
        own + first * 32, quads: quads,
        zeroPoints: zeroPoints + (panel * groups.count(w.inputs) + group) * 16, into: scratch)
      body(scratch, quads)
    }
  }
}
