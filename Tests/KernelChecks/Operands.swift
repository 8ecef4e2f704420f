import VDSQKernels

/// Quantized rows with their own storage, in the layout of a kernel table.
struct Quantized {
  var values: [UInt8]
  var scales: [Float]
  var zeroPoints: [Int32]
  let stride: Int
  let layout: ActivationLayout

  init(rows: Int, columns: Int, _ layout: ActivationLayout) {
    self.layout = layout
    stride = layout.rowBytes(columns)
    values = [UInt8](repeating: 77, count: layout.bytes(rows: rows, columns: columns))
    scales = [Float](repeating: .nan, count: rows)
    zeroPoints = [Int32](repeating: 77, count: rows)
  }

  mutating func use<T>(_ body: (QuantizedRows) -> T) -> T {
    let stride = stride, layout = layout
    return values.withUnsafeMutableBytes { v in
      scales.withUnsafeMutableBufferPointer { s in
        zeroPoints.withUnsafeMutableBufferPointer { z in
          body(
            QuantizedRows(
              values: v.baseAddress!, stride: stride, layout: layout, scales: s.baseAddress!,
              zeroPoints: z.baseAddress!))
        }
      }
    }
  }
}

/// Random weights, packed as in the container.
struct Panels {
  private var bytes: [UInt8]
  private var scales: [Float] = []
  private var rowSums: [Int32] = []
  private let groupLength: Int
  private var factors: [UInt16] = []
  private var zeroPoints: [UInt8] = []
  private var groupSums: [Float] = []
  private let bias: [Float]
  private let outputs: Int
  private let inputs: Int
  let element: WeightPanels.Element

  init(
    _ element: WeightPanels.Element, _ outputs: Int, _ inputs: Int, extreme: Bool, group: Int = 0,
    _ random: inout Random
  ) {
    (self.outputs, self.inputs, self.element) = (outputs, inputs, element)
    groupLength = group
    let panels = (outputs + 15) / 16
    let quads = (inputs + 3) / 4
    let stride =
      switch element {
      case .int8: quads * 64
      case .int4: quads / 2 * 64
      case .float16: inputs * 32
      case .float32: inputs * 64
      }
    bytes = [UInt8](repeating: 0, count: panels * stride)
    rowSums = [Int32](repeating: 0, count: panels * 16)
    scales = random.floats(panels * 16, 0.001, 0.01)
    bias = random.floats(outputs)
    for n in 0..<outputs {
      for k in 0..<inputs {
        let panel = n / 16 * stride
        switch element {
        case .int8:
          // The extremes saturate sixteen-bit intermediates if a kernel has them.
          let w =
            extreme ? (random.integer(0, 1) == 0 ? -128 : 127) : random.integer(-127, 127)
          bytes[panel + k / 4 * 64 + n % 16 * 4 + k % 4] = UInt8(truncatingIfNeeded: w)
          rowSums[n] += Int32(w)
        case .int4:
          let four = extreme ? random.integer(0, 1) * 15 : random.integer(0, 15)
          bytes[panel + k / 8 * 64 + n % 16 * 4 + k % 4] |= UInt8(four << (k / 4 % 2 * 4))
        case .float16:
          let bits = 0x3000 + random.integer(0, 0xBFF) + random.integer(0, 1) * 0x8000
          let at = panel + k * 32 + n % 16 * 2
          (bytes[at], bytes[at + 1]) = (UInt8(bits & 0xFF), UInt8(bits >> 8))
        case .float32:
          let bits = random.float().bitPattern
          for i in 0..<4 {
            bytes[panel + k * 64 + n % 16 * 4 + i] = UInt8(truncatingIfNeeded: bits >> (8 * i))
          }
        }
      }
    }
    guard group > 0 else { return }
    let groups = (inputs + group - 1) / group
    // From 1/16 to 1, in half precision.
    factors = (0..<panels * groups * 16).map { _ in UInt16(0x2C00 + random.integer(0, 0x1000)) }
    zeroPoints = (0..<panels * groups * 16).map { _ in
      UInt8(extreme ? random.integer(0, 1) * 120 : random.integer(0, 120))
    }
    groupSums = [Float](repeating: 0, count: panels * 16)
    var sums = groupSums
    use { w in
      for n in 0..<outputs {
        var sum = 0.0
        for k in 0..<inputs {
          let factor = halfToFloat(factors[(n / 16 * groups + k / group) * 16 + n % 16])
          sum += Double(ScalarReference.weight(w, n, k)) * Double(factor)
        }
        sums[n] = Float(sum)
      }
    }
    groupSums = sums
  }

  func use(_ body: (WeightPanels) -> Void) {
    guard groupLength > 0 else { return use(nil, body) }
    factors.withUnsafeBytes { f in
      groupSums.withUnsafeBufferPointer { s in
        zeroPoints.withUnsafeBytes { z in
          use(
            WeightGroups(
              length: groupLength, factors: f.baseAddress!,
              zeroPoints: element == .int4 ? z.baseAddress : nil, sums: s.baseAddress!), body)
        }
      }
    }
  }

  private func use(_ groups: WeightGroups?, _ body: (WeightPanels) -> Void) {
    bytes.withUnsafeBytes { b in
      scales.withUnsafeBufferPointer { s in
        rowSums.withUnsafeBufferPointer { r in
          bias.withUnsafeBufferPointer { c in
            body(
              WeightPanels(
                element: element, weights: b.baseAddress!,
                scales: element == .int8 || element == .int4 ? s.baseAddress : nil,
                rowSums: element == .int8 && groups == nil ? r.baseAddress : nil,
                groups: groups, bias: c.baseAddress,
                outputs: outputs, inputs: inputs))
          }
        }
      }
    }
  }
}

/// A buffer for row extremes, filled with values that no kernel may leave.
struct Ranges {
  private var lanes: [Float]

  init(rows: Int) { lanes = [Float](repeating: .nan, count: rows * 32) }

  mutating func use(_ body: (RowRanges) -> Void) {
    lanes.withUnsafeMutableBufferPointer { body(RowRanges(lanes: $0.baseAddress!)) }
  }

  func low(_ row: Int) -> Float {
    var value = Float.infinity
    for i in 0..<16 { value = lanes[row * 32 + i] < value ? lanes[row * 32 + i] : value }
    return value
  }

  func high(_ row: Int) -> Float {
    var value = -Float.infinity
    for i in 16..<32 { value = lanes[row * 32 + i] > value ? lanes[row * 32 + i] : value }
    return value
  }

  /// Whether the extremes are those of `count` values from `start` on.
  func match(_ row: Int, _ values: [Float], _ start: Int, _ count: Int) -> Bool {
    var least = values[start], most = values[start]
    for i in start..<start + count {
      least = min(least, values[i])
      most = max(most, values[i])
    }
    return low(row) == least && high(row) == most
  }
}
