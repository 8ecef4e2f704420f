public import CShims

extension GenericKernels {
  /// Passes `2^octaves e^(scale (x - max))` of `count` values to `body`, a vector at a time, and
  /// returns their sum. Whole vectors are read, so the buffer must be padded to a vector; the
  /// padding lanes yield 0.
  @_alwaysEmitIntoClient @inline(__always)
  static func exponentials(
    _ x: UnsafePointer<Float>, _ count: Int, _ scale: Float, octaves: Float = 0,
    _ store: (_ values: SIMD16<Float>, _ i: Int) -> Void
  ) -> Float {
    let whole = count & ~15
    var largest = splat(-.infinity)
    var i = 0
    while i < whole {
      largest = vdsq_max(largest, load16(x + i))
      i += 16
    }
    if i < count {
      largest = vdsq_max(largest, keep16(load16(x + i), count: count - i, fill: -.infinity))
    }
    // Powers of two save one multiplication per value.
    let factor = splat(scale * 1.442_695_04), most = splat(max16(largest))
    var total = splat(0)
    i = 0
    while i < whole {
      // The difference is exactly 0 at the maximum, so the result there is exactly 2^octaves.
      let e = exp2(ISA.fma(load16(x + i) - most, factor, splat(octaves)))
      store(e, i)
      total = total + e
      i += 16
    }
    if i < count {
      let e = exp2(ISA.fma(load16(x + i) - most, factor, splat(octaves)))
      let kept = keep16(e, count: count - i, fill: 0)
      store(kept, i)
      total = total + kept
    }
    return sum16(total)
  }

  /// `softmax(scale * x)` of each row, in place.
  @_alwaysEmitIntoClient @inline(__always)
  static func softmax(
    _ x: UnsafeMutablePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int, _ scale: Float
  ) {
    let factor = splat(scale * 1.442_695_04)
    for row in 0..<rows {
      let values = x + row * stride
      let largest = fold(columns, from: splat(-.infinity), { vdsq_max($0, $1) }) { most, i, count in
        vdsq_max(most, load16(values + i, count: count, fill: -.infinity))
      }
      let most = splat(max16(largest))
      let total = fold(columns, from: splat(0), { $0 + $1 }) { sum, i, count in
        let e = exp2((load16(values + i, count: count) - most) * factor)
        store16(e, values + i, count: count)
        return sum + (count < 16 ? keep16(e, count: count, fill: 0) : e)
      }
      let inverse = splat(1 / sum16(total))
      forEachVector(columns) { i, count in
        store16(load16(values + i, count: count) * inverse, values + i, count: count)
      }
    }
  }

  /// The largest value x_m, and the sum of `e^(scale (x - x_m))`. The sum is not a number if a
  /// value is not finite.
  @_alwaysEmitIntoClient @inline(__always)
  static func exponentialSum(
    _ x: UnsafePointer<Float>, _ count: Int, _ scale: Float
  ) -> (largest: Float, sum: Float) {
    // An infinite factor would make the largest value's exponent, 0, no number.
    let factor = splat(min(scale * 1.442_695_04, .greatestFiniteMagnitude))
    let most = max16(
      fold(count, from: splat(-.infinity), { vdsq_max($0, $1) }) { most, i, count in
        vdsq_max(most, load16(x + i, count: count, fill: -.infinity))
      })
    let total = fold(count, from: splat(0), { $0 + $1 }) { sum, i, count in
      let value = load16(x + i, count: count)
      // Exponents are clamped, which would hide what is not a number.
      let e = exp2((value - splat(most)) * factor) + (value - value)
      return sum + (count < 16 ? keep16(e, count: count, fill: 0) : e)
    }
    return (most, sum16(total))
  }
}
