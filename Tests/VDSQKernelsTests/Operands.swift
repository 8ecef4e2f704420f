import TestSupport
import VDSQKernels

/// Quantized rows with storage of their own.
struct Quantized: Equatable {
  var values: [UInt8]
  var scales: [Float]
  var zeroPoints: [Int32]
  let stride: Int

  init(rows: Int, columns: Int) {
    stride = (columns + 15) / 16 * 16
    values = [UInt8](repeating: 77, count: rows * stride)
    scales = [Float](repeating: .nan, count: rows)
    zeroPoints = [Int32](repeating: 77, count: rows)
  }

  mutating func fill(_ body: (QuantizedRows) -> Void) {
    let stride = stride
    values.withUnsafeMutableBufferPointer { v in
      scales.withUnsafeMutableBufferPointer { s in
        zeroPoints.withUnsafeMutableBufferPointer { z in
          body(
            QuantizedRows(
              values: v.baseAddress!, stride: stride, scales: s.baseAddress!,
              zeroPoints: z.baseAddress!))
        }
      }
    }
  }
}

/// Random weights packed as the container has them.
struct Panels {
  private var bytes: [UInt8]
  private var scales: [Float] = []
  private var rowSums: [Int32] = []
  private let bias: [Float]
  private let outputs: Int
  private let inputs: Int
  private let element: WeightPanels.Element

  init(int8 outputs: Int, _ inputs: Int, extreme: Bool, _ random: inout Random) {
    (self.outputs, self.inputs, element) = (outputs, inputs, .int8)
    let panels = (outputs + 15) / 16
    let quads = (inputs + 3) / 4
    bytes = [UInt8](repeating: 0, count: panels * quads * 64)
    rowSums = [Int32](repeating: 0, count: panels * 16)
    scales = random.floats(panels * 16, in: 0.001...0.01)
    bias = random.floats(outputs)
    for n in 0..<outputs {
      for k in 0..<inputs {
        // The extremes saturate sixteen-bit intermediates, where a kernel has them.
        let w =
          extreme
          ? [Int8(-128), 127].randomElement(using: &random)!
          : .random(in: -127...127, using: &random)
        bytes[n / 16 * quads * 64 + k / 4 * 64 + n % 16 * 4 + k % 4] = UInt8(bitPattern: w)
        rowSums[n] += Int32(w)
      }
    }
  }

  init(half outputs: Int, _ inputs: Int, _ random: inout Random) {
    (self.outputs, self.inputs, element) = (outputs, inputs, .float16)
    let panels = (outputs + 15) / 16
    bytes = [UInt8](repeating: 0, count: panels * inputs * 32)
    bias = random.floats(outputs)
    for n in 0..<outputs {
      for k in 0..<inputs {
        let bits = Float16(Float.random(in: -1...1, using: &random)).bitPattern
        let at = n / 16 * inputs * 32 + k * 32 + n % 16 * 2
        (bytes[at], bytes[at + 1]) = (UInt8(bits & 0xFF), UInt8(bits >> 8))
      }
    }
  }

  func use(_ body: (WeightPanels) -> Void) {
    bytes.withUnsafeBytes { b in
      scales.withUnsafeBufferPointer { s in
        rowSums.withUnsafeBufferPointer { r in
          bias.withUnsafeBufferPointer { c in
            body(
              WeightPanels(
                element: element, weights: b.baseAddress!,
                scales: element == .int8 ? s.baseAddress : nil,
                rowSums: element == .int8 ? r.baseAddress : nil, bias: c.baseAddress,
                outputs: outputs, inputs: inputs))
          }
        }
      }
    }
  }
}
