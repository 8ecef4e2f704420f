/// Converts floats to half precision, rounding to nearest even, many at a time. The compiler
/// vectorises these loops, which it does not do with the library's conversion.
package enum HalfPrecision {
  /// The number of values whose errors are summed in float32 before they are added to a double.
  private static let chunk = 4096

  /// - Returns: whether all values are within the range of half precision.
  package static func encode(
    _ values: [Float], into out: inout [UInt16], _ meter: inout ErrorMeter
  ) -> Bool {
    var kept = [Float](repeating: 0, count: chunk)
    var isWithin = true
    values.withUnsafeBufferPointer { values in
      out.withUnsafeMutableBufferPointer { out in
        kept.withUnsafeMutableBufferPointer { kept in
          for first in stride(from: 0, to: values.count, by: chunk) {
            let count = min(chunk, values.count - first)
            let source = values.baseAddress! + first, to = out.baseAddress! + first
            if !encode(source, count, to) { isWithin = false }
            decode(to, count, kept.baseAddress!)
            meter.add(source, kept.baseAddress!, count)
          }
        }
      }
    }
    return isWithin
  }

  private static func encode(
    _ x: UnsafePointer<Float>, _ count: Int, _ out: UnsafeMutablePointer<UInt16>
  ) -> Bool {
    var largest: Int32 = 0
    for i in 0..<count {
      let bits = Int32(bitPattern: x[i].bitPattern)
      let magnitude = bits & 0x7FFF_FFFF
      // Below the smallest normal half, adding a number whose last bit has the value of a half's
      // last bit rounds correctly.
      let small =
        Int32(bitPattern: (Float(bitPattern: UInt32(bitPattern: magnitude)) + 0.5).bitPattern)
        &- 0x3F00_0000
      let odd = (magnitude >> 13) & 1
      let normal = (magnitude &- 0x37FF_F001 &+ odd) >> 13
      let half = magnitude < 113 << 23 ? small : magnitude >= 143 << 23 ? 0x7C00 : normal
      largest = half > largest ? half : largest
      out[i] = UInt16(truncatingIfNeeded: half | (bits >> 16) & 0x8000)
    }
    return largest < 0x7C00
  }

  private static func decode(
    _ x: UnsafePointer<UInt16>, _ count: Int, _ out: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<count {
      let bits = UInt32(x[i])
      let magnitude = Float(bitPattern: (bits & 0x7FFF) << 13) * 0x1p112
      out[i] = Float(bitPattern: magnitude.bitPattern | (bits & 0x8000) << 16)
    }
  }
}
