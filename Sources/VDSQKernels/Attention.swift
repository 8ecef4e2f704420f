import CShims

extension GenericKernels {
  /// Keys are transposed once, so that scores run along keys and outputs along the head in whole
  /// vectors; then as many queries at a time as the register tile holds.
  @_alwaysEmitIntoClient @inline(__always)
  static func attention(
    _ input: AttentionInput, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    let length = input.length, headSize = input.headSize
    let paddedLength = (length + 31) / 32 * 32
    let paddedHead = (headSize + 31) / 32 * 32
    let keys = scratch
    let scores = keys + paddedHead * paddedLength
    let mixed = scores + 8 * paddedLength
    let sums = mixed + 8 * paddedHead
    transpose(input.keys, input.stride, length, headSize, keys, paddedLength)
    if paddedLength - length >= 16 {
      // The last vector of an odd number of them is in no block.
      for c in 0..<headSize { store16(splat(0), keys + c * paddedLength + paddedLength - 16) }
    }
    // Values are used where they are if whole vectors of them are a head's own.
    var values = input.values
    var valueStride = input.stride
    if headSize % 32 != 0 {
      let copy = sums + 8
      for j in 0..<length {
        for c in 0..<paddedHead {
          copy[j * paddedHead + c] = c < headSize ? input.values[j * input.stride + c] : 0
        }
      }
      values = UnsafePointer(copy)
      valueStride = paddedHead
    }

    let scale = 1 / Float(headSize).squareRoot()
    let step = ISA.tile == .rows8Panels2 ? 8 : 4
    var row = input.rows.lowerBound
    while row < input.rows.upperBound {
      let count = min(step, input.rows.upperBound - row)
      matmul(
        input.queries + row * input.stride, input.stride, count, headSize, keys, paddedLength,
        paddedLength, scores)
      for r in 0..<count {
        sums[r] = 1 / exponentials(scores + r * paddedLength, length, scale)
      }
      matmul(scores, paddedLength, count, length, values, valueStride, paddedHead, mixed)
      for r in 0..<count {
        let from = mixed + r * paddedHead, to = output + (row + r) * outputStride
        forEachVector(headSize) { c, left in
          store16(load16(from + c) * splat(sums[r]), to + c, count: left)
        }
      }
      row += count
    }
  }

  /// `y[r][c] = sum over k of a[r][k] b[k][c]` for at most a tile of rows, `columns` a multiple of 32
  /// and also the distance of y's rows. Rows past the last are computed from the last again.
  @_alwaysEmitIntoClient @inline(__always)
  static func matmul(
    _ a: UnsafePointer<Float>, _ aStride: Int, _ rows: Int, _ depth: Int,
    _ b: UnsafePointer<Float>, _ bStride: Int, _ columns: Int, _ y: UnsafeMutablePointer<Float>
  ) {
    var c = 0
    switch ISA.tile {
    case .rows8Panels2:
      let x = FloatRows(x: a, stride: aStride, first: 0, rows: rows)
      let z = FloatRows(x: a, stride: aStride, first: min(4, rows - 1), rows: rows)
      while c < columns {
        var s0: Sums4 = (splat(0), splat(0), splat(0), splat(0))
        var s1 = s0, t0 = s0, t1 = s0
        var p = b + c
        for k in 0..<depth {
          let b0 = load16(p), b1 = load16(p + 16)
          x.accumulate2(&s0, &s1, k, b0, b1, ISA.self)
          z.accumulate2(&t0, &t1, k, b0, b1, ISA.self)
          p += bStride
        }
        store(s0, y + c, columns)
        store(s1, y + c + 16, columns)
        store(t0, y + 4 * columns + c, columns)
        store(t1, y + 4 * columns + c + 16, columns)
        c += 32
      }
    case .rows4Panels1:
      let x = FloatRows(x: a, stride: aStride, first: 0, rows: rows)
      while c < columns {
        var sums: Sums4 = (splat(0), splat(0), splat(0), splat(0))
        for k in 0..<depth { x.accumulate(&sums, k, load16(b + k * bStride + c), ISA.self) }
        store(sums, y + c, columns)
        c += 16
      }
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func store(_ sums: Sums4, _ y: UnsafeMutablePointer<Float>, _ stride: Int) {
    store16(sums.0, y)
    store16(sums.1, y + stride)
    store16(sums.2, y + 2 * stride)
    store16(sums.3, y + 3 * stride)
  }
}

extension FloatRows {
  @_alwaysEmitIntoClient @inline(__always)
  func accumulate2<ISA: VectorISA>(
    _ low: inout (SIMD16<Float>, SIMD16<Float>, SIMD16<Float>, SIMD16<Float>),
    _ high: inout (SIMD16<Float>, SIMD16<Float>, SIMD16<Float>, SIMD16<Float>), _ k: Int,
    _ b0: SIMD16<Float>, _ b1: SIMD16<Float>, _: ISA.Type
  ) {
    let v0 = splat(a0[k]), v1 = splat(a1[k]), v2 = splat(a2[k]), v3 = splat(a3[k])
    low.0 = ISA.fma(v0, b0, low.0)
    high.0 = ISA.fma(v0, b1, high.0)
    low.1 = ISA.fma(v1, b0, low.1)
    high.1 = ISA.fma(v1, b1, high.1)
    low.2 = ISA.fma(v2, b0, low.2)
    high.2 = ISA.fma(v2, b1, high.2)
    low.3 = ISA.fma(v3, b0, low.3)
    high.3 = ISA.fma(v3, b1, high.3)
  }
}
