public import CShims

// Attention by products of int16 pairs: one instruction computes twice as many of them as of
// floats. Queries, keys and weights have thirteen bits, values eleven. The rounding error is far
// below that of int8 layers.

extension GenericKernels {
  /// Computes what `attention` computes, over pairs: pairs of the head's columns for scores, pairs
  /// of rows for outputs.
  @_alwaysEmitIntoClient @inline(__always)
  static func attentionInt16(
    _ input: AttentionInput, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    // With few rows, rounding to pairs costs more than it saves.
    guard ISA.prefersPairs, input.length >= 48 else {
      return attention(input, output, outputStride, scratch)
    }
    let headSize = input.headSize
    // Sums over a head's columns stay below 2^31. Steps are those of the whole sequence, whatever
    // part of it a span sees.
    let limit = min(8191, (Float(Int32.max) / Float(headSize)).squareRoot().rounded(.down))
    let keyStep = Int16Step(
      magnitude(input.keys, input.stride, input.length, headSize), limit: limit)
    let valueStep = Int16Step(
      magnitude(input.values, input.stride, input.length, headSize), limit: valueLimit)
    forEachSpan(input) {
      attentionInt16(input, $0, keyStep, valueStep, limit, output, outputStride, scratch)
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func attentionInt16(
    _ input: AttentionInput, _ span: AttentionSpan, _ keyStep: Int16Step,
    _ valueStep: Int16Step, _ limit: Float, _ output: UnsafeMutablePointer<Float>,
    _ outputStride: Int, _ scratch: UnsafeMutablePointer<Float>
  ) {
    let length = span.keys.count, headSize = input.headSize, stride = input.stride
    let paddedLength = (length + 31) / 32 * 32
    let paddedHead = (headSize + 31) / 32 * 32
    let columnPairs = (headSize + 1) / 2, rowPairs = (length + 1) / 2
    // [paddedHead / 2][paddedLength] and [rowPairs][paddedHead].
    let keys = UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: Int32.self)
    let values = keys + paddedHead / 2 * paddedLength
    // For one tile: [8][paddedHead / 2] and [8][paddedLength / 2].
    let queries = values + rowPairs * paddedHead
    let weights = queries + 8 * (paddedHead / 2)
    let scores = UnsafeMutableRawPointer(weights + 8 * (paddedLength / 2))
      .assumingMemoryBound(to: Float.self)
    let mixed = scores + 8 * paddedLength
    let offset = span.keys.lowerBound * stride
    pairKeys(input.keys + offset, stride, length, headSize, keyStep, keys, paddedLength)
    pairValues(input.values + offset, stride, length, headSize, valueStep, values, paddedHead)

    let scale = keyStep.size / input.divisor
    let step = ISA.tile.rows
    var row = span.rows.lowerBound
    while row < span.rows.upperBound {
      let count = min(step, span.rows.upperBound - row)
      let tile = span.tile(row..<row + count, of: input)
      // Each query has its own step, so its result does not depend on the other rows.
      var scales = SIMD8<Float>(repeating: 0)
      for r in 0..<count {
        let from = input.queries + (row + r) * stride
        let to = queries + r * (paddedHead / 2)
        let step = Int16Step(magnitude(from, stride, 1, headSize), limit: limit)
        forEachVector(headSize) { c, left in
          store(step.rounded(load16(from + c, count: left)), to + c / 2)
        }
        scales[r] = scale * step.size
      }
      matmul(
        queries, paddedHead / 2, count, columnPairs, keys + tile.first, paddedLength, tile.width,
        zero: SIMD16(repeating: 0), { ISA.dotPairs($0, $1, $2) }
      ) { store16(vdsq_to_float($0), scores + $1 * tile.width + $2) }
      var factors = SIMD8<Float>(repeating: 0)
      for r in 0..<count {
        let to = weights + r * (tile.width / 2)
        let own = scores + r * tile.width
        let scale = addBias(
          input, row + r, tile.first + span.keys.lowerBound, own, tile.depth, scale: scales[r])
        let total = exponentials(
          own, tile.columns(of: row + r, input, span), tile.depth, scale, octaves: weightBits
        ) {
          store(unsafeBitCast($0 + roundingMagic, to: SIMD16<Int32>.self), to + $1 / 2)
        }
        factors[r] = valueStep.size / total
      }
      // Parts of a sum end at the same keys in all tiles, so that it is rounded in the same way.
      let firstPair = tile.first / 2, pairs = (tile.depth + 1) / 2
      let place = span.keys.lowerBound / 2 + firstPair
      var pair = 0
      while pair < pairs {
        let depth = min(pairsOfSum - (place + pair) % pairsOfSum, pairs - pair)
        matmul(
          weights + pair, tile.width / 2, count, depth, values + (firstPair + pair) * paddedHead,
          paddedHead, paddedHead, zero: SIMD16(repeating: 0), { ISA.dotPairs($0, $1, $2) }
        ) {
          let sums = mixed + $1 * paddedHead + $2
          store16(pair == 0 ? vdsq_to_float($0) : vdsq_to_float($0) + load16(sums), sums)
        }
        pair += depth
      }
      for r in 0..<count {
        let from = mixed + r * paddedHead, to = output + (row + r) * outputStride
        storeScaled(from, factors[r], headSize, to)
      }
      row += count
    }
  }

  // 2^13 * 2047 * 128 is below 2^31, so the products of this many rows fit an int32.
  @_alwaysEmitIntoClient @inline(__always)
  static var weightBits: Float { 13 }
  @_alwaysEmitIntoClient @inline(__always)
  static var valueLimit: Float { 2047 }
  @_alwaysEmitIntoClient @inline(__always)
  static var pairsOfSum: Int { 64 }

  /// The largest magnitude in a matrix. NaN counts as larger than any number.
  @_alwaysEmitIntoClient @inline(__always)
  static func magnitude(
    _ x: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int
  ) -> Float {
    // Bit patterns without signs, compared as integers, have the order of the numbers, with NaN
    // last.
    var most = SIMD16<Int32>(repeating: 0)
    for row in 0..<rows {
      forEachVector(columns) { c, left in
        let v = load16(x + row * stride + c, count: left)
        let bits = unsafeBitCast(v, to: SIMD16<Int32>.self) & SIMD16(repeating: 0x7FFF_FFFF)
        most = vdsq_max_i32(most, bits)
      }
    }
    return Float(bitPattern: UInt32(bitPattern: vdsq_max_lane_i32(most)))
  }

  /// `to[p][j]` holds columns 2p and 2p + 1 of key j.
  @_alwaysEmitIntoClient @inline(__always)
  static func pairKeys(
    _ x: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int, _ step: Int16Step,
    _ to: UnsafeMutablePointer<Int32>, _ toStride: Int
  ) {
    var c = 0
    while c < columns {
      var row = 0
      while row < toStride {
        let height = rows - row
        let keys = x + row * stride + c
        var block = Block16 {
          guard $0 < height else { return splat(0) }
          let key = keys + $0 * stride
          let high =
            c + 16 < columns ? load16(key + 16, count: columns - c - 16) : splat(0)
          let pairs = SIMD32(
            lowHalf: vdsq_narrow_i16(step.rounded(load16(key, count: columns - c))),
            highHalf: vdsq_narrow_i16(step.rounded(high)))
          return unsafeBitCast(pairs, to: SIMD16<Float>.self)
        }
        block.transpose()
        block.store(
          UnsafeMutableRawPointer(to + c / 2 * toStride + row).assumingMemoryBound(to: Float.self),
          toStride)
        row += 16
      }
      c += 32
    }
  }

  /// `to[p][c]` holds column c of values 2p and 2p + 1.
  @_alwaysEmitIntoClient @inline(__always)
  static func pairValues(
    _ x: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int, _ step: Int16Step,
    _ to: UnsafeMutablePointer<Int32>, _ toStride: Int
  ) {
    let zero = SIMD16<Int32>(repeating: 0)
    var row = 0
    while row < rows {
      let even = x + row * stride
      let pairs = to + row / 2 * toStride
      var c = 0
      while c < toStride {
        let left = columns - c
        var low = zero, high = zero
        if left > 0 {
          low = step.rounded(load16(even + c, count: left))
          if row + 1 < rows {
            high = step.rounded(load16(even + stride + c, count: left))
          }
        }
        let both = (low & SIMD16(repeating: 0xFFFF)) | vdsq_shift_left(high, 16)
        UnsafeMutableRawPointer(pairs + c).storeBytes(of: both, as: SIMD16<Int32>.self)
        c += 16
      }
      row += 2
    }
  }

  /// The low halves of sixteen lanes as eight pairs.
  @_alwaysEmitIntoClient @inline(__always)
  static func store(_ lanes: SIMD16<Int32>, _ to: UnsafeMutablePointer<Int32>) {
    UnsafeMutableRawPointer(to).storeBytes(of: vdsq_narrow_i16(lanes), as: SIMD16<Int16>.self)
  }
}
