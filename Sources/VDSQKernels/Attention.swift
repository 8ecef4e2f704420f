import CShims

extension GenericKernels {
  /// Keys are transposed and values padded once a head, so that scores run along keys and outputs
  /// along the head in whole vectors; then four queries at a time.
  @_alwaysEmitIntoClient @inline(__always)
  static func attention(
    _ input: AttentionInput, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    let length = input.length, headSize = input.headSize
    let paddedLength = (length + 15) / 16 * 16
    let paddedHead = (headSize + 15) / 16 * 16
    let keys = scratch
    let values = keys + headSize * paddedLength
    let scores = values + length * paddedHead
    let mixed = scores + 4 * paddedLength

    for j in 0..<length {
      let key = input.keys + j * input.stride
      let value = input.values + j * input.stride
      for c in 0..<headSize {
        keys[c * paddedLength + j] = key[c]
        values[j * paddedHead + c] = value[c]
      }
      for c in headSize..<paddedHead { values[j * paddedHead + c] = 0 }
    }
    for c in 0..<headSize {
      for j in length..<paddedLength { keys[c * paddedLength + j] = 0 }
    }

    let scale = 1 / Float(headSize).squareRoot()
    var row = 0
    while row < length {
      let queries = FloatRows(x: input.queries, stride: input.stride, first: row, rows: length)
      var j = 0
      while j < paddedLength {
        var sums: Sums4 = (splat(0), splat(0), splat(0), splat(0))
        for c in 0..<headSize {
          queries.accumulate(&sums, c, load16(keys + c * paddedLength + j), ISA.self)
        }
        store16(sums.0, scores + j)
        store16(sums.1, scores + paddedLength + j)
        store16(sums.2, scores + 2 * paddedLength + j)
        store16(sums.3, scores + 3 * paddedLength + j)
        j += 16
      }
      for r in 0..<4 { softmax(scores + r * paddedLength, length, scale) }
      let weights = FloatRows(x: scores, stride: paddedLength, first: 0, rows: 4)
      var c = 0
      while c < paddedHead {
        var sums: Sums4 = (splat(0), splat(0), splat(0), splat(0))
        for j in 0..<length {
          weights.accumulate(&sums, j, load16(values + j * paddedHead + c), ISA.self)
        }
        store16(sums.0, mixed + c)
        store16(sums.1, mixed + paddedHead + c)
        store16(sums.2, mixed + 2 * paddedHead + c)
        store16(sums.3, mixed + 3 * paddedHead + c)
        c += 16
      }
      for r in 0..<min(4, length - row) {
        let destination = output + (row + r) * outputStride
        for c in 0..<headSize { destination[c] = mixed[r * paddedHead + c] }
      }
      row += 4
    }
  }

  /// `softmax(scale * x)` in place over the first `count` values.
  @_alwaysEmitIntoClient @inline(__always)
  static func softmax(_ x: UnsafeMutablePointer<Float>, _ count: Int, _ scale: Float) {
    var largest = splat(-.infinity)
    var i = 0
    while i < count {
      largest = vdsq_max(largest, load16(x + i, count: count - i, fill: -.infinity))
      i += 16
    }
    let shift = splat(-max16(largest) * scale)
    var total = splat(0)
    i = 0
    while i < count {
      let e = exp(ISA.fma(load16(x + i, count: count - i), splat(scale), shift))
      store16(e, x + i, count: count - i)
      total = total + load16(x + i, count: count - i)
      i += 16
    }
    let inverse = splat(1 / sum16(total))
    i = 0
    while i < count {
      store16(load16(x + i, count: count - i) * inverse, x + i, count: count - i)
      i += 16
    }
  }
}
