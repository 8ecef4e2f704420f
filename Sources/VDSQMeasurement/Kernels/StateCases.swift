import VDSQInference
import VDSQKernels

extension KernelBench {
  /// Attention of one head after another over one sequence. Each worker takes its own queries.
  func attention(
    _ arithmetic: Arithmetic, length: Int, heads: Int, headSize: Int
  ) -> KernelCase {
    let d = heads * headSize
    let qkv = AlignedBytes(length * 3 * d * 4 + 128), y = AlignedBytes(length * d * 4)
    qkv.fillFloats()
    let floats = AttentionInput.scratch(length: length, headSize: headSize)
    let scratch = AlignedBytes(pool.count * floats * 4)
    let kernel = arithmetic == .int16 ? kernels.attentionInt16 : kernels.attention
    // Queries, keys and values are read, outputs written.
    return KernelCase(
      arithmetic == .int16 ? "attention-int16" : "attention", rows: length, columns: headSize,
      batch: heads, bytes: length * 4 * d * 4,
      operand: qkv, products: 2 * length * length * d, arithmetic: arithmetic
    ) { worker in
      let rows = worker.share(of: length, unit: 4)
      let first = UnsafePointer(qkv.pointer.assumingMemoryBound(to: Float.self))
      for head in 0..<heads where !rows.isEmpty {
        let at = first + head * headSize
        kernel(
          AttentionInput(
            queries: at, keys: at + d, values: at + 2 * d, stride: 3 * d, length: length,
            headSize: headSize, rows: rows),
          y.pointer.assumingMemoryBound(to: Float.self) + head * headSize, d,
          scratch.pointer.assumingMemoryBound(to: Float.self) + worker.index * floats)
      }
    }
  }

  static let elementwiseNames = [
    "layernorm", "rmsnorm", "softmax", "rotary", "silu-gate", "quantize-u8", "dequantize-fp16",
    "dequantize-int8",
  ]

  /// A kernel that only passes over states, so that memory or a cache bounds it.
  func elementwise(_ name: String, rows: Int, columns: Int) -> KernelCase {
    let x = AlignedBytes(rows * columns * 4), y = AlignedBytes(rows * columns * 4)
    let gain = AlignedBytes(columns * 4), bias = AlignedBytes(columns * 4)
    for buffer in [x, y, gain, bias] { buffer.fillFloats() }
    func floats(_ buffer: AlignedBytes) -> UnsafeMutablePointer<Float> {
      buffer.pointer.assumingMemoryBound(to: Float.self)
    }
    let layout = kernels.activationLayout
    let stride = layout.rowBytes(columns)
    // One row more, because threads begin at any row.
    let q = AlignedBytes(layout.bytes(rows: rows + 1, columns: columns)),
      parameters = AlignedBytes(rows * 8)
    let halves = AlignedBytes(rows * columns * 2)
    let kernels = kernels
    let layerNorm = Normalization(gain: floats(gain), bias: floats(bias), epsilon: 1e-5)
    let rmsNorm = Normalization(gain: floats(gain), bias: nil, epsilon: 1e-5)
    let numbers = rows * columns
    let bytes: Int
    let body:
      (_ rows: Range<Int>, _ from: UnsafeMutablePointer<Float>, _ to: UnsafeMutablePointer<Float>)
        -> Void
    switch name {
    case "layernorm":
      bytes = 12 * numbers
      body = { kernels.addLayerNorm($1, $1, layerNorm, $0.count, columns, $2, nil) }
    case "rmsnorm":
      bytes = 12 * numbers
      body = { kernels.addRMSNorm($1, $1, rmsNorm, $0.count, columns, $2, nil) }
    case "softmax":
      bytes = 8 * numbers
      body = { kernels.softmax($2, columns, $0.count, columns, 0.5) }
    case "rotary":
      bytes = 8 * numbers
      body = { r, _, to in
        for row in 0..<r.count {
          kernels.rotate(to + row * columns, columns, floats(gain), floats(bias), .halves)
        }
      }
    case "silu-gate":
      bytes = 12 * numbers
      body = { kernels.gate($2, $1, $0.count * columns, .silu) }
    case "quantize-u8":
      bytes = 5 * numbers
      body = { r, from, _ in
        kernels.quantizeRows(
          from, columns, r.count, columns, nil,
          QuantizedRows(
            values: q.pointer + r.lowerBound * stride, stride: stride, layout: layout,
            scales: floats(parameters) + r.lowerBound,
            zeroPoints: (parameters.pointer + (rows + r.lowerBound) * 4).assumingMemoryBound(
              to: Int32.self)))
      }
    case "dequantize-fp16":
      bytes = 6 * numbers
      body = { r, _, to in
        kernels.dequantizeHalf(
          halves.pointer + r.lowerBound * columns * 2, r.count * columns, to)
      }
    default:
      bytes = 5 * numbers
      body = { r, _, to in
        let from = (q.pointer + r.lowerBound * columns).assumingMemoryBound(to: Int8.self)
        kernels.dequantizeInt8(from, r.count * columns, 0.01, to)
      }
    }
    return KernelCase(
      name, rows: rows, columns: columns, batch: 1, bytes: bytes, operand: x
    ) { worker in
      withExtendedLifetime((y, gain, bias, q, parameters, halves)) {
        let share = worker.share(of: rows)
        let at = share.lowerBound * columns
        body(share, floats(x) + at, floats(y) + at)
      }
    }
  }
}
