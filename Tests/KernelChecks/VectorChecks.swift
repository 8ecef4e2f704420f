import VDSQKernels

extension Checker {
  func vectors() {
    var random = Random(7)
    for columns in Self.lengths {
      let x = random.floats(columns), m = random.floats(3 * columns)
      var ours = [Float](repeating: .nan, count: 3)
      var reference = ours
      table.dotRows(x, m, 3, columns, &ours)
      ScalarReference.dotRows(x, m, 3, columns, &reference)
      expectClose(ours, reference, 2e-5, absolute: 1e-6, "dotRows: \(columns) columns")
      var sum = Array(m[..<columns])
      table.addScaled(0.5, x, columns, &sum)
      var expected = Array(m[..<columns])
      for i in 0..<columns { expected[i] += 0.5 * x[i] }
      expectClose(sum, expected, 1e-6, "addScaled: \(columns) columns")

      var halves = [UInt16](repeating: 0, count: 3 * columns)
      var floats = m
      for i in halves.indices {
        halves[i] = UInt16(0x3000 + random.integer(0, 0xBFF) + random.integer(0, 1) * 0x8000)
        floats[i] = halfToFloat(halves[i])
      }
      halves.withUnsafeBytes { table.dotHalfRows(x, $0.baseAddress!, 3, columns, &ours) }
      ScalarReference.dotRows(x, floats, 3, columns, &reference)
      expectClose(ours, reference, 2e-5, absolute: 1e-6, "dotHalfRows: \(columns) columns")

      var bytes = [Int8](repeating: 0, count: columns)
      for i in 0..<columns { bytes[i] = Int8(random.integer(-128, 127)) }
      var dequantized = [Float](repeating: .nan, count: columns)
      table.dequantizeInt8(bytes, columns, 0.25, &dequantized)
      expect(dequantized == bytes.map { Float($0) * 0.25 }, "dequantizeInt8: \(columns)")

      let scale = table.quantizeInt8(x, columns, &bytes)
      table.dequantizeInt8(bytes, columns, scale, &dequantized)
      let largest = x.reduce(0) { max($0, $1.magnitude) }
      expect(
        zip(x, dequantized).allSatisfy { ($0 - $1).magnitude <= largest / 253 },
        "quantizeInt8: \(columns)")
      expect(table.quantizeInt8(x.map { _ in 0 }, columns, &bytes) == 0, "quantizeInt8: zeros")
      var odd = x
      odd[columns - 1] = .nan
      expect(table.quantizeInt8(odd, columns, &bytes).isNaN, "quantizeInt8: NaN")
    }
  }

  /// Every half-precision number, including infinities and NaNs.
  func halves() {
    var bits = [UInt16](repeating: 0, count: 65536)
    for i in bits.indices { bits[i] = UInt16(i) }
    var ours = [Float](repeating: 77, count: bits.count)
    bits.withUnsafeBytes { table.dequantizeHalf($0.baseAddress!, bits.count, &ours) }
    for i in bits.indices {
      let expected = halfToFloat(bits[i])
      expect(
        ours[i] == expected || (ours[i].isNaN && expected.isNaN), "dequantizeHalf: \(bits[i])")
    }
    // Each number, what is halfway to the next one, and what is next to that.
    var floats: [Float] = [], wanted: [UInt16] = []
    for i in 0..<0x7C00 as Range<UInt16> {
      let low = halfToFloat(i), high = i == 0x7BFF ? 65536 : halfToFloat(i + 1)
      let middle = (low + high) / 2
      floats += [low, middle, middle.nextDown, middle.nextUp, -middle]
      let even = i % 2 == 0 ? i : i + 1
      wanted += [i, even, i, i + 1, even | 0x8000]
    }
    floats += [.infinity, -.infinity, 1e30, 70000, .nan]
    wanted += [0x7C00, 0xFC00, 0x7C00, 0x7C00, 0x7E00]
    var narrowed = [UInt16](repeating: 1, count: floats.count)
    narrowed.withUnsafeMutableBytes { table.quantizeHalf(floats, floats.count, $0.baseAddress!) }
    for i in floats.indices where narrowed[i] != wanted[i] {
      expect(false, "quantizeHalf: \(floats[i]) is \(narrowed[i]), not \(wanted[i])")
    }
  }

  /// Overflow and NaN yield infinity or NaN, not a plausible number.
  func notFinite() {
    var one = [Float](repeating: 0, count: 1)
    table.dotRows([.nan, 1], [1, 1], 1, 2, &one)
    expect(one[0].isNaN, "dotRows: NaN")
    table.dotRows([.infinity, 1], [1, 1], 1, 2, &one)
    expect(one[0] == .infinity, "dotRows: infinity")
    for columns in [3, 16, 40] {
      for at in [0, columns - 1] {
        var x = [Float](repeating: 1, count: columns)
        x[at] = .nan
        var y = x
        y.withUnsafeMutableBufferPointer { table.softmax($0.baseAddress!, columns, 1, columns, 1) }
        expect(y[at].isNaN, "softmax: NaN at \(at) of \(columns)")
        let ones = [Float](repeating: 1, count: columns)
        ones.withUnsafeBufferPointer { ones in
          let norm = Normalization(gain: ones.baseAddress!, bias: ones.baseAddress!, epsilon: 1e-5)
          var y = x
          y.withUnsafeMutableBufferPointer {
            table.addLayerNorm(
              UnsafePointer($0.baseAddress!), nil, norm, 1, columns, $0.baseAddress!, nil)
          }
          expect(y.allSatisfy { $0.isNaN }, "addLayerNorm: NaN at \(at) of \(columns)")
        }
        for activation in Activation.allCases {
          var y = x
          y.withUnsafeMutableBufferPointer {
            table.gate($0.baseAddress!, [Float](repeating: 1, count: columns), columns, activation)
          }
          expect(y[at].isNaN, "gate: NaN at \(at) of \(columns)")
        }
      }
    }
    // A query with a NaN has cosine 0 to everything, and a NaN score is never among the best.
    var values = [Int8](repeating: 5, count: 64)
    let query = values.withUnsafeMutableBufferPointer {
      Int8Query(quantizing: [.nan, 1], columns: 2, into: $0.baseAddress!)
    }
    expect(query.reciprocalNorm == 0 && query.sum == 0, "Int8Query: NaN")
    var score: Float = 0
    var id: Int32 = 0
    var heap = TopK(capacity: 1, scores: &score, ids: &id)
    heap.insert(.nan, 3)
    expect(heap.count == 0, "TopK: NaN")
  }
}
