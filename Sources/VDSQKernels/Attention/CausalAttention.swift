import CShims

extension GenericKernels {
  /// `softmax(scale Q K^T) V`, where each query sees its past. Outputs have the layout of queries,
  /// `outputStride` floats apart.
  @_alwaysEmitIntoClient @inline(__always)
  static func causalAttention(
    _ input: CausalAttentionInput, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    if input.count * input.group < 4 {
      // One token at a time: keys are read once, so transposing them would cost more than it saves.
      for i in 0..<input.count {
        for g in 0..<input.group {
          attendOne(
            input, i, g, input.queries + i * input.queryStride + g * input.headSize,
            output + i * outputStride + g * input.headSize, scratch)
        }
      }
    } else {
      attendMany(input, output, outputStride, scratch)
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func attendOne(
    _ input: CausalAttentionInput, _ i: Int, _ head: Int, _ query: UnsafePointer<Float>,
    _ output: UnsafeMutablePointer<Float>, _ scores: UnsafeMutablePointer<Float>
  ) {
    let position = input.position + i
    let first = input.start(position)
    let count = position - first + 1
    let keys = input.keys + first * input.stride, values = input.values + first * input.stride
    for j in 0..<count {
      var sum = splat(0)
      let key = keys + j * input.stride
      forEachVector(input.headSize) { c, left in
        sum = ISA.fma(load16(query + c, count: left), load16(key + c, count: left), sum)
      }
      scores[j] = sum16(sum)
    }
    let scale = adjust(scores, count, input, head)
    let inverse = splat(1 / exponentials(scores, count, scale) { store16($0, scores + $1) })
    forEachVector(input.headSize) { c, left in
      var even = splat(0), odd = splat(0)
      var j = 0
      while j + 2 <= count {
        even = ISA.fma(
          splat(scores[j]), load16(values + j * input.stride + c, count: left), even)
        odd = ISA.fma(
          splat(scores[j + 1]), load16(values + (j + 1) * input.stride + c, count: left), odd)
        j += 2
      }
      if j < count {
        even = ISA.fma(
          splat(scores[j]), load16(values + j * input.stride + c, count: left), even)
      }
      store16((even + odd) * inverse, output + c, count: left)
    }
  }

  /// Scales and caps the scores of a query, and takes from them what distances cost. The last one is
  /// that of the query's own position.
  ///
  /// - Returns: the factor that is left for the softmax.
  @_alwaysEmitIntoClient @inline(__always)
  static func adjust(
    _ scores: UnsafeMutablePointer<Float>, _ count: Int, _ input: CausalAttentionInput, _ head: Int
  ) -> Float {
    guard input.cap > 0 || input.slopes != nil else { return input.scale }
    let scale = splat(input.scale), cap = splat(input.cap)
    let slope = splat(input.slopes?[head] ?? 0)
    let rate = splat(input.cap > 0 ? 2 / input.cap : 0)
    let lanes = SIMD16<Float>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    forEachVector(count) { i, left in
      var score = load16(scores + i, count: left) * scale
      // tanh x = 2 sigmoid(2 x) - 1
      if input.cap > 0 { score = cap * (splat(2) * sigmoid(score * rate) - splat(1)) }
      score = ISA.fma(slope, lanes + splat(Float(i - count + 1)), score)
      store16(score, scores + i, count: left)
    }
    return 1
  }

  /// Like `attention`: keys are transposed once for all queries and heads that share them, and
  /// queries are processed in tiles. Positions that a query must not see have weight 0.
  @_alwaysEmitIntoClient @inline(__always)
  static func attendMany(
    _ input: CausalAttentionInput, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    let headSize = input.headSize
    let first = input.start(input.position)
    let length = input.position + input.count - first
    let paddedLength = (length + 31) / 32 * 32
    let paddedHead = (headSize + 31) / 32 * 32
    let keys = scratch
    let scores = keys + paddedHead * paddedLength
    let mixed = scores + 8 * paddedLength
    let sums = mixed + 8 * paddedHead
    let copy = sums + 8
    transpose(
      input.keys + first * input.stride, input.stride, length, headSize, keys, paddedLength)
    if paddedLength - length >= 16 {
      for c in 0..<headSize { store16(splat(0), keys + c * paddedLength + paddedLength - 16) }
    }
    var values = input.values + first * input.stride
    var valueStride = input.stride
    if headSize % 32 != 0 {
      for j in 0..<length {
        for c in 0..<paddedHead {
          copy[j * paddedHead + c] = c < headSize ? values[j * input.stride + c] : 0
        }
      }
      values = UnsafePointer(copy)
      valueStride = paddedHead
    }
    let step = ISA.tile.rows
    for head in 0..<input.group {
      let queries = input.queries + head * headSize
      var i = 0
      while i < input.count {
        let count = min(step, input.count - i)
        // No query of the tile sees beyond the tile's last query.
        let seen = input.position + i + count - first
        let columns = (seen + 31) / 32 * 32
        matmul(
          queries + i * input.queryStride, input.queryStride, count, headSize, keys, paddedLength,
          columns, scores)
        for r in 0..<count {
          let row = scores + r * columns
          let last = input.position + i + r - first
          let start = input.start(last + first) - first
          // Whole vectors from an aligned place on, so that they end within the row.
          let begin = start & ~15
          let scale = adjust(row + begin, last - begin + 1, input, head)
          for j in begin..<start { row[j] = -1e30 }
          let total = exponentials(row + begin, last - begin + 1, scale) {
            store16($0, row + begin + $1)
          }
          sums[r] = 1 / total
          for j in 0..<start { row[j] = 0 }
          for j in last + 1..<max(last + 1, seen) { row[j] = 0 }
        }
        matmul(scores, columns, count, seen, values, valueStride, paddedHead, mixed)
        for r in 0..<count {
          let from = mixed + r * paddedHead
          let to = output + (i + r) * outputStride + head * headSize
          storeScaled(from, sums[r], headSize, to)
        }
        i += count
      }
    }
  }
}
