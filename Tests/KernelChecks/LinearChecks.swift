import VDSQKernels

extension Checker {
  func quantizeRows() {
    var random = Random(1)
    let spans: [(Float, Float)] = [(-1, 1), (0, 3), (-1000, -999), (1e-20, 2e-20), (5, 5)]
    for columns in Self.lengths {
      for (low, high) in spans {
        let rows = 3
        let x = random.floats(rows * columns, low, high)
        var reference = Quantized(rows: rows, columns: columns, table.activationLayout)
        reference.use { ScalarReference.quantizeRows(x, columns, rows, columns, $0) }
        for known in [false, true] {
          var ours = Quantized(rows: rows, columns: columns, table.activationLayout)
          var lanes = [Float](repeating: 0, count: rows * 32)
          for row in 0..<rows {
            for i in 0..<columns {
              let at = row * 32 + i % 16
              let value = x[row * columns + i]
              if i < 16 {
                for j in i..<16 { (lanes[row * 32 + j], lanes[row * 32 + 16 + j]) = (value, value) }
              }
              lanes[at] = min(lanes[at], value)
              lanes[at + 16] = max(lanes[at + 16], value)
            }
          }
          lanes.withUnsafeMutableBufferPointer { lanes in
            let ranges = known ? RowRanges(lanes: lanes.baseAddress!) : nil
            ours.use { table.quantizeRows(x, columns, rows, columns, ranges, $0) }
          }
          expect(
            ours.scales == reference.scales && ours.zeroPoints == reference.zeroPoints,
            "quantizeRows: \(columns) columns: scales")
          var same = true
          var close = true
          for row in 0..<rows {
            for i in 0..<columns {
              let q = ours.use { $0.value(row, i) }
              same = same && q == reference.use { $0.value(row, i) }
              // The error is at most half a step.
              let back = Float(Int32(q) - ours.zeroPoints[row]) * ours.scales[row]
              let value = x[row * columns + i]
              let bound = ours.scales[row] * 0.5 + value.magnitude * 3e-7
              close = close && (back - value).magnitude <= bound
            }
          }
          expect(same, "quantizeRows: \(columns) columns: values")
          expect(close, "quantizeRows: \(columns) columns: more than half a step off")
        }
      }
    }
  }

  func gemmU8S8() {
    var random = Random(2)
    for (rows, outputs, inputs) in shapes(&random) {
      let weights = Panels(.int8, outputs, inputs, extreme: rows % 2 == 0, &random)
      let x = random.floats(rows * inputs)
      var q = Quantized(rows: rows, columns: inputs, table.activationLayout)
      q.use { ScalarReference.quantizeRows(x, inputs, rows, inputs, $0) }
      if rows % 3 == 0 {
        q.use { q in
          for row in 0..<rows { for i in 0..<inputs { q.set(row, i, 255) } }
        }
      }
      for activation in Activation.allCases {
        var ours = [Float](repeating: .nan, count: rows * outputs)
        var reference = ours
        weights.use { w in
          q.use { q in
            ours.withUnsafeMutableBufferPointer { y in
              table.gemmU8S8(
                q, rows, w, 0..<w.panels,
                LinearOutput(y: y.baseAddress!, stride: outputs, activation: activation))
            }
            reference.withUnsafeMutableBufferPointer { y in
              ScalarReference.gemmU8S8(
                q, rows, w, 0..<w.panels,
                LinearOutput(y: y.baseAddress!, stride: outputs, activation: activation))
            }
          }
        }
        expectClose(
          ours, reference, 2e-6, absolute: activation == .gelu ? 1e-4 : 0,
          "gemmU8S8: \(rows) x \(outputs) x \(inputs)")
      }
    }
  }

  /// Groups of 32 and 64 columns of eight and of four bits, the last of them shorter: in integers
  /// and in floats.
  func gemmGroups() {
    var random = Random(5)
    for (rows, outputs, inputs) in shapes(&random) {
      for (element, group) in [
        (WeightPanels.Element.int8, 32), (.int8, 64), (.int4, 32), (.int4, 64),
      ] {
        let inputs = element == .int4 ? (inputs + 7) / 8 * 8 : inputs
        let weights = Panels(
          element, outputs, inputs, extreme: rows % 2 == 0, group: group, &random)
        let x = random.floats(rows * inputs)
        var q = Quantized(rows: rows, columns: inputs, table.activationLayout)
        q.use { ScalarReference.quantizeRows(x, inputs, rows, inputs, $0) }
        var ours = [Float](repeating: .nan, count: rows * outputs)
        var reference = ours, floats = ours, floatReference = ours
        weights.use { w in
          func output(_ y: inout [Float], _ body: (LinearOutput) -> Void) {
            y.withUnsafeMutableBufferPointer {
              body(LinearOutput(y: $0.baseAddress!, stride: outputs))
            }
          }
          q.use { q in
            output(&ours) { table.gemmU8S8(q, rows, w, 0..<w.panels, $0) }
            output(&reference) { ScalarReference.gemmU8S8(q, rows, w, 0..<w.panels, $0) }
          }
          output(&floats) { table.gemmFloat(x, inputs, rows, w, 0..<w.panels, $0) }
          output(&floatReference) {
            ScalarReference.gemmFloat(x, inputs, rows, w, 0..<w.panels, $0)
          }
        }
        // Products of up to 255 times 127 cancel with those of the zero point.
        expectClose(
          ours, reference, 1e-5, absolute: 2e-6 * Float(inputs),
          "gemmU8S8, groups of \(group): \(rows) x \(outputs) x \(inputs)")
        expectClose(
          floats, floatReference, 4e-6, absolute: 1e-6 * Float(inputs),
          "gemmFloat, groups of \(group): \(rows) x \(outputs) x \(inputs)")
      }
    }
  }

  func gemmFloat() {
    var random = Random(3)
    for (rows, outputs, inputs) in shapes(&random) {
      let x = random.floats(rows * inputs)
      for element in [WeightPanels.Element.int8, .float16, .float32] {
        let weights = Panels(element, outputs, inputs, extreme: false, &random)
        var ours = [Float](repeating: .nan, count: rows * outputs)
        var reference = ours
        weights.use { w in
          ours.withUnsafeMutableBufferPointer { y in
            table.gemmFloat(
              x, inputs, rows, w, 0..<w.panels, LinearOutput(y: y.baseAddress!, stride: outputs))
          }
          reference.withUnsafeMutableBufferPointer { y in
            ScalarReference.gemmFloat(
              x, inputs, rows, w, 0..<w.panels, LinearOutput(y: y.baseAddress!, stride: outputs))
          }
        }
        expectClose(ours, reference, 4e-6, "gemmFloat: \(rows) x \(outputs) x \(inputs)")
      }
    }
  }

  /// A range of panels writes only its own outputs, bit-identical to those of a call over all
  /// panels.
  func panelRanges() {
    var random = Random(4)
    let (rows, outputs, inputs) = (5, 75, 36)
    let weights = Panels(.int8, outputs, inputs, extreme: false, &random)
    let x = random.floats(rows * inputs)
    var q = Quantized(rows: rows, columns: inputs, table.activationLayout)
    q.use { ScalarReference.quantizeRows(x, inputs, rows, inputs, $0) }
    var whole = [Float](repeating: .nan, count: rows * outputs)
    var parts = whole
    weights.use { w in
      q.use { q in
        whole.withUnsafeMutableBufferPointer {
          table.gemmU8S8(q, rows, w, 0..<5, LinearOutput(y: $0.baseAddress!, stride: outputs))
        }
        for range in [0..<2, 2..<3, 3..<5] {
          parts.withUnsafeMutableBufferPointer {
            table.gemmU8S8(q, rows, w, range, LinearOutput(y: $0.baseAddress!, stride: outputs))
          }
        }
      }
    }
    expect(whole == parts, "gemmU8S8: panels in parts")
  }

  private func shapes(_ random: inout Random) -> [(Int, Int, Int)] {
    var shapes = [(1, 1, 1), (8, 32, 384), (9, 33, 4), (12, 16, 1536), (3, 15, 3), (7, 48, 20)]
    for rows in 1...17 { shapes.append((rows, random.integer(1, 80), random.integer(1, 130))) }
    return shapes
  }
}
