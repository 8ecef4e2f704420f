import CShims

extension GenericKernels {
  /// Rotates the first `size` elements of a head by the angles of its position: `(a, b)` becomes
  /// `(a cos - b sin, a sin + b cos)` (Su et al. 2021, arXiv 2104.09864).
  @_alwaysEmitIntoClient @inline(__always)
  static func rotate(
    _ x: UnsafeMutablePointer<Float>, _ size: Int, _ cosines: UnsafePointer<Float>,
    _ sines: UnsafePointer<Float>, _ pairs: RotaryPairs
  ) {
    let half = size / 2
    switch pairs {
    case .halves:
      var i = 0
      while i < half {
        let left = half - i
        let a = load16(x + i, count: left), b = load16(x + half + i, count: left)
        let c = load16(cosines + i, count: left), s = load16(sines + i, count: left)
        store16(a * c - b * s, x + i, count: left)
        store16(ISA.fma(a, s, b * c), x + half + i, count: left)
        i += 16
      }
    case .neighbours:
      for i in 0..<half {
        let a = x[2 * i], b = x[2 * i + 1]
        x[2 * i] = a * cosines[i] - b * sines[i]
        x[2 * i + 1] = a * sines[i] + b * cosines[i]
      }
    }
  }

  /// `gate = activation(gate) * up`: the gated feed-forward network of Llama and similar models.
  @_alwaysEmitIntoClient @inline(__always)
  static func gate(
    _ gate: UnsafeMutablePointer<Float>, _ up: UnsafePointer<Float>, _ count: Int,
    _ activation: Activation
  ) {
    var i = 0
    while i < count {
      let left = count - i
      let value = apply(activation, load16(gate + i, count: left)) * load16(up + i, count: left)
      store16(value, gate + i, count: left)
      i += 16
    }
  }
}
