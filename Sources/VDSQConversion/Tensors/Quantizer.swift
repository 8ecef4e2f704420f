import VDSQFormat

/// Symmetric int8 with one scale per row: `x ~= scale * q`, q in -127...127.
package enum Quantizer {
  /// Quantizes a row of `count` values.
  ///
  /// - Returns: the scale.
  static func quantize(
    _ row: UnsafePointer<Float>, _ count: Int, into q: UnsafeMutablePointer<Int8>,
    _ meter: inout ErrorMeter
  ) -> Float {
    let most = largest(row, count)
    // A row of zeros, or of numbers that would need a denormal scale, is stored as zeros.
    let scale: Float = most > 1e-30 ? most / 127 : 1
    quantize(row, count, scale: scale, into: q, &meter)
    return scale
  }

  /// Quantizes a row in groups of columns. Each group has a factor in half precision.
  ///
  /// - Returns: the scale of the row, and the sum of its weights before the scale.
  static func quantize(
    _ row: UnsafePointer<Float>, _ count: Int, groups length: Int,
    into q: UnsafeMutablePointer<Int8>, factors: (_ group: Int, _ factor: UInt16) -> Void,
    _ meter: inout ErrorMeter
  ) -> (scale: Float, sum: Float) {
    let most = largest(row, count)
    let scale: Float = most > 1e-30 ? most / 127 : 1
    var total = 0.0
    for (group, first) in stride(from: 0, to: count, by: length).enumerated() {
      let columns = min(length, count - first)
      // Rounded up, so that no element exceeds 127.
      let wanted = largest(row + first, columns) / 127 / scale
      var factor = Float16(wanted)
      if Float(factor) < wanted { factor = factor.nextUp }
      factors(group, factor.bitPattern)
      // A group of zeros has nothing to scale.
      quantize(
        row + first, columns, scale: max(scale * Float(factor), 1e-30), into: q + first, &meter)
      var sum: Int32 = 0
      for i in first..<first + columns { sum &+= Int32(q[i]) }
      total += Double(sum) * Double(factor)
    }
    return (scale, Float(total))
  }

  private static func largest(_ row: UnsafePointer<Float>, _ count: Int) -> Float {
    var largest = SIMD8<Float>(repeating: 0)
    let whole = count & ~7
    for i in stride(from: 0, to: whole, by: 8) {
      let v = load(row + i)
      largest = largest.replacing(with: v, where: v .> largest)
      largest = largest.replacing(with: -v, where: -v .> largest)
    }
    var most = largest.max()
    for i in whole..<count { most = max(most, row[i].magnitude) }
    return most
  }

  private static func quantize(
    _ row: UnsafePointer<Float>, _ count: Int, scale: Float, into q: UnsafeMutablePointer<Int8>,
    _ meter: inout ErrorMeter
  ) {
    let whole = count & ~7
    let inverse = 1 / scale
    var sums = ErrorMeter.Row()
    for i in stride(from: 0, to: whole, by: 8) {
      let v = load(row + i)
      let stored = round(v * inverse)
      let bytes = SIMD8<Int8>(truncatingIfNeeded: integers(stored))
      UnsafeMutableRawPointer(q + i).storeBytes(of: bytes, as: SIMD8<Int8>.self)
      sums.add(v, stored * scale)
    }
    for i in whole..<count {
      let stored = (row[i] * inverse).rounded(.toNearestOrEven)
      q[i] = Int8(stored)
      sums.add(row[i], stored * scale)
    }
    meter.add(sums, count)
  }

  /// Quantizes a row into an array.
  package static func quantize(
    _ row: [Float], into q: inout [Int8], _ meter: inout ErrorMeter
  ) -> Float {
    q = [Int8](repeating: 0, count: row.count)
    return q.withUnsafeMutableBufferPointer {
      quantize(row, row.count, into: $0.baseAddress!, &meter)
    }
  }

  /// The reciprocal length of a quantized row; 0 for a row of zeros.
  static func reciprocalNorm(of q: [Int8]) -> Float {
    let square = q.reduce(Int32(0)) { $0 + Int32($1) * Int32($1) }
    return square > 0 ? 1 / Float(square).squareRoot() : 0
  }

  @inline(__always)
  private static func load(_ p: UnsafePointer<Float>) -> SIMD8<Float> {
    UnsafeRawPointer(p).loadUnaligned(as: SIMD8<Float>.self)
  }

  /// Adding this constant to a number of magnitude below 2^22 rounds it to an integer, ties to
  /// even, and leaves the integer in the low bits.
  private static let magic: Float = 12_582_912

  @inline(__always)
  private static func round(_ x: SIMD8<Float>) -> SIMD8<Float> {
    (x + SIMD8(repeating: magic)) - SIMD8(repeating: magic)
  }

  @inline(__always)
  private static func integers(_ x: SIMD8<Float>) -> SIMD8<Int32> {
    unsafeBitCast(x + SIMD8(repeating: magic), to: SIMD8<Int32>.self)
      &- SIMD8(repeating: Int32(bitPattern: magic.bitPattern))
  }
}
