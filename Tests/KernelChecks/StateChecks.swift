import VDSQKernels

extension Checker {
  func attention() {
    attention("attention", table.attention, 2e-5)
    attentionExtremes("attention", table.attention)
    attentionBiases("attention", table.attention, 2e-5)
  }

  func attentionInt16() {
    // A thousandth of the largest value.
    attention("attentionInt16", table.attentionInt16, 2e-5, absolute: 3e-3)
    attentionExtremes("attentionInt16", table.attentionInt16)
    attentionBiases("attentionInt16", table.attentionInt16, 2e-5, absolute: 3e-3)
  }

  private typealias AttentionKernel = (
    AttentionInput, UnsafeMutablePointer<Float>, Int, UnsafeMutablePointer<Float>
  ) -> Void

  /// The largest possible sums, and numbers that are not finite, which must not yield finite
  /// results.
  private func attentionExtremes(_ name: String, _ kernel: AttentionKernel) {
    for length in [5, 48, 64, 128, 300] {
      for headSize in [1, 32, 64, 256] {
        let size = length * headSize
        for value in [Float(3), -1e6, 1e-20, 0] {
          let y = attention(
            kernel, [Float](repeating: value, count: 3 * size + 32), length, headSize)
          expectClose(
            y, [Float](repeating: value, count: size), 1e-5,
            "\(name): \(length) x \(headSize) of \(value)")
        }
        for (value, place) in [
          (Float.nan, 0), (.nan, headSize), (.nan, 2 * headSize), (.infinity, 0),
          (.infinity, headSize), (-.infinity, 2 * headSize),
        ] {
          var qkv = [Float](repeating: 1, count: 3 * size + 32)
          qkv[place] = value
          let y = attention(kernel, qkv, length, headSize)
          expect(!y.allSatisfy { $0.isFinite }, "\(name): \(value) at \(place)")
        }
      }
    }
  }

  /// One head's outputs for all its rows.
  private func attention(
    _ kernel: AttentionKernel, _ qkv: [Float], _ length: Int, _ headSize: Int
  ) -> [Float] {
    var y = [Float](repeating: .nan, count: length * headSize)
    var scratch = [Float](
      repeating: .nan, count: AttentionInput.scratch(length: length, headSize: headSize))
    qkv.withUnsafeBufferPointer {
      let first = $0.baseAddress!
      let input = AttentionInput(
        queries: first, keys: first + headSize, values: first + 2 * headSize,
        stride: 3 * headSize, length: length, headSize: headSize, rows: 0..<length)
      y.withUnsafeMutableBufferPointer { y in
        scratch.withUnsafeMutableBufferPointer { s in
          kernel(input, y.baseAddress!, headSize, s.baseAddress!)
        }
      }
    }
    return y
  }

  private func attention(
    _ name: String, _ kernel: AttentionKernel, _ bound: Float, absolute: Float = 0
  ) {
    var random = Random(5)
    for length in [1, 2, 3, 4, 5, 9, 16, 17, 31, 33, 49, 64, 129, 301] {
      for headSize in [1, 8, 14, 16, 32, 33, 64] {
        let heads = 2
        let stride = 3 * heads * headSize
        // The last vector of the last head may be read beyond it.
        let qkv = random.floats(length * stride + 32, -3, 3)
        let first = random.integer(0, length - 1)
        for rows in [0..<length, first..<length] {
          var ours = [Float](repeating: .nan, count: length * headSize)
          var reference = ours
          var scratch = [Float](
            repeating: .nan, count: AttentionInput.scratch(length: length, headSize: headSize))
          qkv.withUnsafeBufferPointer {
            let start = $0.baseAddress! + headSize
            let input = AttentionInput(
              queries: start, keys: start + heads * headSize, values: start + 2 * heads * headSize,
              stride: stride, length: length, headSize: headSize, rows: rows)
            ours.withUnsafeMutableBufferPointer { y in
              scratch.withUnsafeMutableBufferPointer { s in
                kernel(input, y.baseAddress!, headSize, s.baseAddress!)
              }
            }
            reference.withUnsafeMutableBufferPointer {
              ScalarReference.attention(input, $0.baseAddress!, headSize)
            }
          }
          let from = rows.lowerBound * headSize
          expectClose(
            Array(ours[from...]), Array(reference[from...]), bound, absolute: absolute,
            "\(name): \(length) x \(headSize)")
          expect(ours[..<from].allSatisfy { $0.isNaN }, "\(name): rows that were not asked for")
        }
      }
    }
  }

  /// Biases by distance and by query, windows of all sizes, another divisor; the result of a row is
  /// the same bits whichever rows are computed with it.
  private func attentionBiases(
    _ name: String, _ kernel: AttentionKernel, _ bound: Float, absolute: Float = 0
  ) {
    enum Kind: CaseIterable { case none, byDistance, byQuery }
    var random = Random(15)
    for length in [1, 5, 31, 48, 63, 129, 301] {
      for headSize in [14, 32, 64] {
        for window in [Int.max, 0, 1, 7, 64, 128, 500] {
          for kind in Kind.allCases where kind != .none || window != .max {
            let stride = 3 * headSize
            let qkv = random.floats(length * stride + 32, -3, 3)
            let biases = random.floats(max(2 * length, length * length), -4, 4)
            let divisor: Float? = length % 2 == 0 ? nil : 9
            func run(
              _ rows: Range<Int>, _ body: (AttentionInput, UnsafeMutablePointer<Float>) -> Void
            ) -> [Float] {
              var y = [Float](repeating: .nan, count: length * headSize)
              qkv.withUnsafeBufferPointer { qkv in
                biases.withUnsafeBufferPointer { biases in
                  let first = biases.baseAddress!
                  let bias: AttentionBias? =
                    switch kind {
                    case .none: nil
                    case .byDistance: AttentionBias(origin: first + length - 1, rowStride: -1)
                    case .byQuery: AttentionBias(origin: first, rowStride: length)
                    }
                  let start = qkv.baseAddress!
                  let input = AttentionInput(
                    queries: start, keys: start + headSize, values: start + 2 * headSize,
                    stride: stride, length: length, headSize: headSize, rows: rows,
                    divisor: divisor, bias: bias, window: window)
                  y.withUnsafeMutableBufferPointer { body(input, $0.baseAddress!) }
                }
              }
              return y
            }
            var scratch = [Float](
              repeating: .nan, count: AttentionInput.scratch(length: length, headSize: headSize))
            func ours(_ rows: Range<Int>) -> [Float] {
              run(rows) { input, y in
                scratch.withUnsafeMutableBufferPointer {
                  kernel(input, y, headSize, $0.baseAddress!)
                }
              }
            }
            let all = ours(0..<length)
            let reference = run(0..<length) {
              ScalarReference.attention($0, $1, headSize)
            }
            let label = "\(name): \(length) x \(headSize), window \(window), \(kind)"
            expectClose(all, reference, bound, absolute: absolute, label)
            let first = random.integer(0, length - 1)
            let some = ours(first..<length)
            expect(
              some[(first * headSize)...] == all[(first * headSize)...], "\(label): rows alone")
          }
        }
      }
    }
  }

  func causalAttention() {
    var random = Random(11)
    for length in [1, 2, 5, 17, 32, 33, 70, 129] {
      for headSize in [8, 20, 32, 64] {
        for (group, window, cap, slopes) in [
          (1, Int.max, 0, []), (3, Int.max, 0, [0.5, 0.25, 0.03]), (2, 1, 0, []), (1, 5, 2, []),
          (2, 40, 0.5, [0.1, 0.002]),
        ] as [(Int, Int, Float, [Float])] {
          let stride = 2 * headSize
          let cache = random.floats(length * stride * 2 + 32, -3, 3)
          let position = random.integer(0, length - 1)
          for first in [0, position, length - 1] {
            let count = length - first
            let queries = random.floats(count * group * headSize + 32, -2, 2)
            var ours = [Float](repeating: .nan, count: count * group * headSize)
            var reference = ours
            var scratch = [Float](
              repeating: .nan,
              count: CausalAttentionInput.scratch(length: length, headSize: headSize))
            cache.withUnsafeBufferPointer { cache in
              queries.withUnsafeBufferPointer { queries in
                slopes.withUnsafeBufferPointer { slopes in
                  let input = CausalAttentionInput(
                    queries: queries.baseAddress!, queryStride: group * headSize, position: first,
                    count: count, group: group, keys: cache.baseAddress!,
                    values: cache.baseAddress! + length * stride, stride: stride,
                    headSize: headSize, window: window, scale: 0.25, cap: cap,
                    slopes: slopes.isEmpty ? nil : slopes.baseAddress)
                  ours.withUnsafeMutableBufferPointer { y in
                    scratch.withUnsafeMutableBufferPointer { s in
                      table.causalAttention(
                        input, y.baseAddress!, group * headSize, s.baseAddress!)
                    }
                  }
                  reference.withUnsafeMutableBufferPointer {
                    ScalarReference.causalAttention(input, $0.baseAddress!, group * headSize)
                  }
                }
              }
            }
            expectClose(
              ours, reference, 3e-5, "causalAttention: \(length) x \(headSize), \(window)")
          }
        }
      }
    }
  }

  func softmax() {
    var random = Random(8)
    for columns in Self.lengths {
      for scale in [Float(1), 0.125, 30] {
        let x = random.floats(3 * columns, -8, 8)
        var ours = x
        var reference = x
        ours.withUnsafeMutableBufferPointer {
          table.softmax($0.baseAddress!, columns, 3, columns, scale)
        }
        reference.withUnsafeMutableBufferPointer {
          ScalarReference.softmax($0.baseAddress!, columns, 3, columns, scale)
        }
        expectClose(ours, reference, 3e-5, "softmax: \(columns) columns")
      }
    }
  }

  func exponentialSum() {
    var random = Random(9)
    for columns in Self.lengths {
      for scale in [Float(1), 0.125, 20] {
        var x = random.floats(columns, -8, 8)
        func ours() -> (largest: Float, sum: Float) {
          x.withUnsafeBufferPointer { table.exponentialSum($0.baseAddress!, columns, scale) }
        }
        let (largest, sum) = ScalarReference.exponentialSum(x, scale)
        let found = ours()
        expect(found.largest == largest, "exponentialSum: the largest of \(columns)")
        expectClose([found.sum / sum], [1], 3e-5, "exponentialSum: \(columns) values")
        x[columns / 2] = .nan
        expect(ours().sum.isNaN, "exponentialSum: \(columns) values, one is not a number")
      }
    }
  }

  func norms() {
    var random = Random(6)
    for columns in Self.lengths {
      let rows = 3
      let x = random.floats(rows * columns, 90, 110)
      let residual = random.floats(rows * columns)
      let gain = random.floats(columns), bias = random.floats(columns)
      for (withResidual, isLayerNorm, hasBias) in [
        (false, true, true), (true, true, true), (true, true, false), (false, false, false),
        (true, false, false),
      ] {
        var ours = x
        var reference = x
        var ranges = Ranges(rows: rows)
        residual.withUnsafeBufferPointer { r in
          gain.withUnsafeBufferPointer { gain in
            bias.withUnsafeBufferPointer { bias in
              let norm = Normalization(
                gain: gain.baseAddress!, bias: hasBias ? bias.baseAddress : nil, epsilon: 1e-5)
              let r = withResidual ? r.baseAddress : nil
              ranges.use { ranges in
                ours.withUnsafeMutableBufferPointer {
                  let kernel = isLayerNorm ? table.addLayerNorm : table.addRMSNorm
                  kernel(
                    UnsafePointer($0.baseAddress!), r, norm, rows, columns, $0.baseAddress!, ranges)
                }
              }
              x.withUnsafeBufferPointer { x in
                reference.withUnsafeMutableBufferPointer {
                  ScalarReference.addNorm(
                    x.baseAddress!, r, norm, centred: isLayerNorm, rows, columns,
                    $0.baseAddress!)
                }
              }
            }
          }
        }
        expectClose(ours, reference, 1e-4, "norm: \(columns) columns")
        for row in 0..<rows {
          expect(ranges.match(row, ours, row * columns, columns), "norm: range of row \(row)")
        }
      }
    }
  }

  func rotary() {
    var random = Random(9)
    for size in [2, 4, 6, 16, 30, 32, 34, 64, 80, 128] {
      let angles = random.floats(size / 2, -1, 1)
      let cosines = angles.map { 1 - $0 * $0 }
      for pairs in [RotaryPairs.halves, .neighbours] {
        let x = random.floats(size)
        var ours = x
        var reference = x
        ours.withUnsafeMutableBufferPointer {
          table.rotate($0.baseAddress!, size, cosines, angles, pairs)
        }
        reference.withUnsafeMutableBufferPointer {
          ScalarReference.rotate($0.baseAddress!, size, cosines, angles, pairs)
        }
        expectClose(ours, reference, 1e-6, "rotate: \(size)")
      }
    }
  }

  func gates() {
    var random = Random(10)
    for count in Self.lengths {
      for activation in Activation.allCases {
        let gate = random.floats(count, -12, 12), up = random.floats(count)
        var ours = gate
        var reference = gate
        ours.withUnsafeMutableBufferPointer { table.gate($0.baseAddress!, up, count, activation) }
        reference.withUnsafeMutableBufferPointer {
          ScalarReference.gate($0.baseAddress!, up, count, activation)
        }
        expectClose(
          ours, reference, 2e-6, absolute: activation == .gelu ? 1e-4 : 0, "gate: \(count)")
      }
    }
  }
}
