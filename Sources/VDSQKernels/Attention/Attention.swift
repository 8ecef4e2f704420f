import CShims

extension GenericKernels {
  /// Keys are transposed once, so that scores run along keys and outputs run along the head in
  /// whole vectors. Then queries are processed in register tiles. With a window, this is done for
  /// some queries at a time and the keys that they see, so time grows with the window.
  @_alwaysEmitIntoClient @inline(__always)
  static func attention(
    _ input: AttentionInput, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    forEachSpan(input) { attention(input, $0, output, outputStride, scratch) }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func attention(
    _ input: AttentionInput, _ span: AttentionSpan, _ output: UnsafeMutablePointer<Float>,
    _ outputStride: Int, _ scratch: UnsafeMutablePointer<Float>
  ) {
    let length = span.keys.count, headSize = input.headSize
    let paddedLength = (length + 31) / 32 * 32
    let paddedHead = (headSize + 31) / 32 * 32
    let keys = scratch
    let scores = keys + paddedHead * paddedLength
    let mixed = scores + 8 * paddedLength
    let sums = mixed + 8 * paddedHead
    let offset = span.keys.lowerBound * input.stride
    transpose(input.keys + offset, input.stride, length, headSize, keys, paddedLength)
    if paddedLength - length >= 16 {
      // If the number of vectors is odd, the last one is in no block.
      for c in 0..<headSize { store16(splat(0), keys + c * paddedLength + paddedLength - 16) }
    }
    // Values are used in place if the width of a head is a multiple of a vector.
    var values = input.values + offset
    var valueStride = input.stride
    if headSize % 32 != 0 {
      let copy = sums + 8
      for j in 0..<length {
        for c in 0..<paddedHead {
          copy[j * paddedHead + c] = c < headSize ? values[j * input.stride + c] : 0
        }
      }
      values = UnsafePointer(copy)
      valueStride = paddedHead
    }

    let step = ISA.tile.rows
    var row = span.rows.lowerBound
    while row < span.rows.upperBound {
      let count = min(step, span.rows.upperBound - row)
      let tile = span.tile(row..<row + count, of: input)
      matmul(
        input.queries + row * input.stride, input.stride, count, headSize, keys + tile.first,
        paddedLength, tile.width, scores)
      for r in 0..<count {
        let weights = scores + r * tile.width
        let scale = addBias(
          input, row + r, tile.first + span.keys.lowerBound, weights, tile.depth,
          scale: 1 / input.divisor)
        sums[r] =
          1
          / exponentials(
            weights, tile.columns(of: row + r, input, span), tile.depth, scale
          ) { store16($0, weights + $1) }
      }
      matmul(
        scores, tile.width, count, tile.depth, values + tile.first * valueStride, valueStride,
        paddedHead, mixed)
      for r in 0..<count {
        let from = mixed + r * paddedHead, to = output + (row + r) * outputStride
        storeScaled(from, sums[r], headSize, to)
      }
      row += count
    }
  }

  /// Scales the scores of a query and adds their biases, if there are any.
  ///
  /// - Parameters:
  ///   - first: the key of the first score.
  ///   - scale: the factor of the scores.
  /// - Returns: the factor that scores still need.
  @_alwaysEmitIntoClient @inline(__always)
  static func addBias(
    _ input: AttentionInput, _ row: Int, _ first: Int, _ scores: UnsafeMutablePointer<Float>,
    _ count: Int, scale: Float
  ) -> Float {
    guard let bias = input.bias else { return scale }
    let own = bias.origin + row * bias.rowStride + first
    forEachVector(count) { i, left in
      store16(ISA.fma(load16(scores + i), splat(scale), load16(own + i, count: left)), scores + i)
    }
    return 1
  }

  /// Passes the exponentials of a query's scores to `body`: of those that it sees, and 0 for the
  /// others up to `depth`. Returns their sum.
  @_alwaysEmitIntoClient @inline(__always)
  static func exponentials(
    _ scores: UnsafeMutablePointer<Float>, _ seen: Range<Int>, _ depth: Int, _ scale: Float,
    octaves: Float = 0, _ store: (_ values: SIMD16<Float>, _ i: Int) -> Void
  ) -> Float {
    // Whole vectors from an aligned place on, so that they end within the row.
    let begin = seen.lowerBound & ~15
    for j in begin..<seen.lowerBound { scores[j] = -1e30 }
    let total = exponentials(
      scores + begin, seen.upperBound - begin, scale, octaves: octaves
    ) { store($0, begin + $1) }
    var j = 0
    while j < begin {
      store(splat(0), j)
      j += 16
    }
    j = (seen.upperBound + 15) & ~15
    while j < depth {
      store(splat(0), j)
      j += 16
    }
    return total
  }

  /// Calls `body` with the parts of the queries whose keys are in scratch memory together.
  @_alwaysEmitIntoClient @inline(__always)
  static func forEachSpan(_ input: AttentionInput, _ body: (AttentionSpan) -> Void) {
    let isLocal = input.window < input.length
    var row = input.rows.lowerBound
    while row < input.rows.upperBound {
      let end =
        isLocal ? min(row + AttentionSpan.localRows, input.rows.upperBound) : input.rows.upperBound
      let seen = input.seen(row..<end)
      // Sums of a row have the same order wherever its span begins.
      body(AttentionSpan(rows: row..<end, keys: seen.lowerBound & ~31..<seen.upperBound))
      row = end
    }
  }

  /// Copies a row of whole vectors to a row of outputs.
  @_alwaysEmitIntoClient @inline(__always)
  static func storeScaled(
    _ from: UnsafePointer<Float>, _ factor: Float, _ count: Int, _ to: UnsafeMutablePointer<Float>
  ) {
    forEachVector(count) { c, left in
      store16(load16(from + c) * splat(factor), to + c, count: left)
    }
  }

  /// `y[r][c] = sum over k of a[r][k] b[k][c]`, in floats.
  @_alwaysEmitIntoClient @inline(__always)
  static func matmul(
    _ a: UnsafePointer<Float>, _ aStride: Int, _ rows: Int, _ depth: Int,
    _ b: UnsafePointer<Float>, _ bStride: Int, _ columns: Int, _ y: UnsafeMutablePointer<Float>
  ) {
    matmul(a, aStride, rows, depth, b, bStride, columns, zero: splat(0), ISA.fma) {
      store16($0, y + $1 * columns + $2)
    }
  }

  /// The products of at most a tile of rows with a matrix of `columns`, a multiple of 32. Rows of
  /// the tile beyond the last repeat the last row.
  @_alwaysEmitIntoClient @inline(__always)
  static func matmul<Element: SIMDScalar>(
    _ a: UnsafePointer<Element>, _ aStride: Int, _ rows: Int, _ depth: Int,
    _ b: UnsafePointer<Element>, _ bStride: Int, _ columns: Int, zero: SIMD16<Element>,
    _ multiplyAdd: (SIMD16<Element>, SIMD16<Element>, SIMD16<Element>) -> SIMD16<Element>,
    _ store: (_ sums: SIMD16<Element>, _ row: Int, _ column: Int) -> Void
  ) {
    func load(_ p: UnsafePointer<Element>) -> SIMD16<Element> {
      UnsafeRawPointer(p).loadUnaligned(as: SIMD16<Element>.self)
    }
    func finish(_ sums: RowTile<Element>.Sums, _ row: Int, _ column: Int) {
      store(sums.0, row, column)
      store(sums.1, row + 1, column)
      store(sums.2, row + 2, column)
      store(sums.3, row + 3, column)
    }
    let none = (zero, zero, zero, zero)
    let x = RowTile(a, stride: aStride, first: 0, rows: rows)
    var c = 0
    switch ISA.tile {
    case .rows8Panels2:
      let z = RowTile(a, stride: aStride, first: 4, rows: rows)
      while c < columns {
        var s0 = none, s1 = none, t0 = none, t1 = none
        var p = b + c
        for k in 0..<depth {
          let b0 = load(p), b1 = load(p + 16)
          x.accumulate(&s0, &s1, k, b0, b1, multiplyAdd)
          z.accumulate(&t0, &t1, k, b0, b1, multiplyAdd)
          p += bStride
        }
        finish(s0, 0, c)
        finish(s1, 0, c + 16)
        finish(t0, 4, c)
        finish(t1, 4, c + 16)
        c += 32
      }
    case .rows8Halves:
      let tile = HalfPanelTile(a, stride: aStride, first: 0, rows: rows)
      while c < columns {
        let sums = tile.products(depth, zero: zero, { load(b + $0 * bStride + c) }, multiplyAdd)
        finish(sums.upper, 0, c)
        finish(sums.lower, 4, c)
        c += 16
      }
    case .rows4Panels1:
      while c < columns {
        var sums = none
        for k in 0..<depth { x.accumulate(&sums, k, load(b + k * bStride + c), multiplyAdd) }
        finish(sums, 0, c)
        c += 16
      }
    }
  }
}
