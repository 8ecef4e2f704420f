import TestSupport
import Testing
import VDSQInference
import VDSQKernels

/// Every kernel of every instruction set that this CPU has, against the scalar reference.
@Suite struct KernelTests {
  static let tables = KernelTable.available()

  /// Lengths around every width that a kernel works in.
  static let lengths = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 47, 64, 100, 129, 384]

  @Test func thereIsABaseline() {
    #expect(Self.tables.contains { "\($0.name)" == "baseline" })
    #expect(Set(Self.tables.map { "\($0.name)" }).count == Self.tables.count)
  }

  @Test(arguments: tables.indices)
  func quantizeRows(_ index: Int) {
    var random = Random(1)
    for columns in Self.lengths {
      for range in [Float(-1)...1, 0...3, -1000 ... -999, 1e-20...2e-20, 5...5] {
        let rows = 3
        let x = random.floats(rows * columns, in: range)
        var ours = Quantized(rows: rows, columns: columns)
        var reference = Quantized(rows: rows, columns: columns)
        ours.fill { Self.tables[index].quantizeRows(x, columns, rows, columns, $0) }
        reference.fill { ScalarReference.quantizeRows(x, columns, rows, columns, $0) }
        #expect(ours == reference, "\(columns) columns in \(range)")
        // Half a step at most is lost.
        for i in 0..<rows {
          for j in 0..<columns {
            let q = Int32(ours.values[i * ours.stride + j]) - ours.zeroPoints[i]
            let back = Float(q) * ours.scales[i]
            let value = x[i * columns + j]
            #expect((back - value).magnitude <= ours.scales[i] * 0.5 + value.magnitude * 3e-7)
          }
        }
      }
    }
  }

  @Test(arguments: tables.indices)
  func gemmU8S8(_ index: Int) {
    var random = Random(2)
    for (rows, outputs, inputs) in shapes(&random) {
      let weights = Panels(int8: outputs, inputs, extreme: rows % 2 == 0, &random)
      let x = random.floats(rows * inputs)
      var q = Quantized(rows: rows, columns: inputs)
      q.fill { ScalarReference.quantizeRows(x, inputs, rows, inputs, $0) }
      if rows % 3 == 0 { q.values = q.values.map { _ in 255 } }
      for activation in [Activation.identity, .gelu, .geluTanh, .relu] {
        var ours = [Float](repeating: .nan, count: rows * outputs)
        var reference = ours
        weights.use { w in
          let all = 0..<w.panels
          q.fill { Self.tables[index].gemmU8S8($0, rows, w, all, activation, &ours, outputs) }
          q.fill { ScalarReference.gemmU8S8($0, rows, w, all, activation, &reference, outputs) }
        }
        expectClose(ours, reference, 2e-6, "\(rows) x \(outputs) x \(inputs), \(activation)")
      }
    }
  }

  @Test(arguments: tables.indices)
  func gemmFloat(_ index: Int) {
    var random = Random(3)
    for (rows, outputs, inputs) in shapes(&random) {
      let x = random.floats(rows * inputs)
      for weights in [
        Panels(int8: outputs, inputs, extreme: false, &random),
        Panels(half: outputs, inputs, &random),
      ] {
        var ours = [Float](repeating: .nan, count: rows * outputs)
        var reference = ours
        weights.use { w in
          let all = 0..<w.panels
          Self.tables[index].gemmFloat(x, inputs, rows, w, all, .gelu, &ours, outputs)
          ScalarReference.gemmFloat(x, inputs, rows, w, all, .gelu, &reference, outputs)
        }
        expectClose(ours, reference, 4e-6, "\(rows) x \(outputs) x \(inputs)")
      }
    }
  }

  /// A range of panels writes its own outputs and no others.
  @Test(arguments: tables.indices)
  func gemmRanges(_ index: Int) {
    var random = Random(4)
    let (rows, outputs, inputs) = (5, 75, 36)
    let weights = Panels(int8: outputs, inputs, extreme: false, &random)
    let x = random.floats(rows * inputs)
    var q = Quantized(rows: rows, columns: inputs)
    q.fill { ScalarReference.quantizeRows(x, inputs, rows, inputs, $0) }
    var whole = [Float](repeating: .nan, count: rows * outputs)
    var parts = whole
    weights.use { w in
      q.fill { Self.tables[index].gemmU8S8($0, rows, w, 0..<5, .identity, &whole, outputs) }
      for range in [0..<2, 2..<3, 3..<5] {
        q.fill { Self.tables[index].gemmU8S8($0, rows, w, range, .identity, &parts, outputs) }
      }
    }
    #expect(whole == parts)
  }

  @Test(arguments: tables.indices)
  func attention(_ index: Int) {
    var random = Random(5)
    for length in [1, 2, 3, 4, 5, 16, 17, 31, 64, 129] {
      for headSize in [1, 8, 14, 16, 32, 33, 64] {
        let heads = 2
        let stride = 3 * heads * headSize
        let qkv = random.floats(length * stride, in: -3...3)
        var ours = [Float](repeating: .nan, count: length * headSize)
        var reference = ours
        var scratch = [Float](
          repeating: .nan, count: AttentionInput.scratch(length: length, headSize: headSize))
        qkv.withUnsafeBufferPointer {
          let first = $0.baseAddress! + headSize
          let input = AttentionInput(
            queries: first, keys: first + heads * headSize, values: first + 2 * heads * headSize,
            stride: stride, length: length, headSize: headSize)
          Self.tables[index].attention(input, &ours, headSize, &scratch)
          ScalarReference.attention(input, &reference, headSize)
        }
        expectClose(ours, reference, 2e-5, "\(length) x \(headSize)")
      }
    }
  }

  @Test(arguments: tables.indices)
  func addLayerNorm(_ index: Int) {
    var random = Random(6)
    for columns in Self.lengths {
      let rows = 3
      let x = random.floats(rows * columns, in: 90...110)
      let residual = random.floats(rows * columns)
      let gain = random.floats(columns), bias = random.floats(columns)
      for withResidual in [false, true] {
        var ours = x
        var reference = x
        residual.withUnsafeBufferPointer { r in
          let r = withResidual ? r.baseAddress : nil
          Self.tables[index].addLayerNorm(x, r, gain, bias, 1e-5, rows, columns, &ours)
          ScalarReference.addLayerNorm(x, r, gain, bias, 1e-5, rows, columns, &reference)
        }
        expectClose(ours, reference, 1e-4, "\(columns) columns")
      }
    }
  }

  @Test(arguments: tables.indices)
  func vectors(_ index: Int) {
    var random = Random(7)
    for columns in Self.lengths {
      let x = random.floats(columns), m = random.floats(3 * columns)
      var ours = [Float](repeating: .nan, count: 3)
      var reference = ours
      Self.tables[index].dotRows(x, m, 3, columns, &ours)
      ScalarReference.dotRows(x, m, 3, columns, &reference)
      expectClose(ours, reference, 1e-5, "\(columns) columns")
      var sum = Array(m[..<columns])
      Self.tables[index].addScaled(0.5, x, columns, &sum)
      expectClose(sum, zip(x, m).map { 0.5 * $0 + $1 }, 1e-6, "\(columns) columns")
    }
  }

  /// All 63,488 finite half-precision numbers.
  @Test(arguments: tables.indices)
  func dequantizeHalf(_ index: Int) {
    let bits = (UInt16.min...UInt16.max).filter { $0 & 0x7C00 != 0x7C00 }
    var ours = [Float](repeating: .nan, count: bits.count)
    bits.withUnsafeBytes { Self.tables[index].dequantizeHalf($0.baseAddress!, bits.count, &ours) }
    #expect(zip(ours, bits).allSatisfy { $0 == Float(Float16(bitPattern: $1)) })
    #expect(bits.allSatisfy { halfToFloat($0) == Float(Float16(bitPattern: $0)) })
  }

  /// Numbers that overflow or are none come out as such, not as something plausible.
  @Test(arguments: tables.indices)
  func notANumberPassesThrough(_ index: Int) {
    var sum = [Float](repeating: 0, count: 1)
    Self.tables[index].dotRows([.nan, 1], [1, 1], 1, 2, &sum)
    #expect(sum[0].isNaN)
    Self.tables[index].dotRows([.infinity, 1], [1, 1], 1, 2, &sum)
    #expect(sum[0] == .infinity)
  }

  private func shapes(_ random: inout Random) -> [(Int, Int, Int)] {
    var shapes = [(1, 1, 1), (8, 32, 384), (9, 33, 4), (12, 16, 1536), (3, 15, 3)]
    for rows in 1...17 {
      shapes.append(
        (rows, Int.random(in: 1...80, using: &random), Int.random(in: 1...130, using: &random)))
    }
    return shapes
  }
}

/// Relative to the largest magnitude of the reference.
func expectClose(
  _ ours: [Float], _ reference: [Float], _ bound: Float, _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let size = max(reference.map(\.magnitude).max() ?? 0, 1e-6)
  let worst = zip(ours, reference).map { ($0 - $1).magnitude / size }.reduce(0) { a, b in
    // A NaN anywhere must fail.
    a <= b || b.isNaN ? b : a
  }
  #expect(worst <= bound, "\(what): off by \(worst)", sourceLocation: sourceLocation)
}
