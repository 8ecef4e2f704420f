import VDSQKernels

/// Rows of keys or values of a layer in the numbers that they are kept in, `rowBytes` apart.
struct KeyRows {
  let precision: KeyPrecision
  let heads: Int
  let headSize: Int
  let kernels: KernelTable

  /// The bytes from one token's row to the next.
  var rowBytes: Int { precision.rowBytes(heads: heads, headSize: headSize) }

  private func scales(_ row: UnsafeRawPointer) -> UnsafeRawPointer {
    row + (heads * headSize + 3) / 4 * 4
  }

  /// Keeps a token's row of `heads * headSize` floats.
  func store(_ x: UnsafePointer<Float>, to row: UnsafeMutableRawPointer) {
    let width = heads * headSize
    switch precision {
    case .float32:
      let to = row.assumingMemoryBound(to: Float.self)
      for i in 0..<width { to[i] = x[i] }
    case .float16: kernels.quantizeHalf(x, width, row)
    case .int8:
      let to = row.assumingMemoryBound(to: Int8.self)
      let scales = UnsafeMutableRawPointer(mutating: scales(row))
        .assumingMemoryBound(to: Float.self)
      for head in 0..<heads {
        scales[head] = kernels.quantizeInt8(x + head * headSize, headSize, to + head * headSize)
      }
    }
  }

  /// Reads one head of some tokens' rows as floats, `headSize` apart.
  func load(
    _ head: Int, _ rows: UnsafeRawPointer, count: Int, into y: UnsafeMutablePointer<Float>
  ) {
    let bytes = rowBytes
    for i in 0..<count {
      let row = rows + i * bytes, to = y + i * headSize
      switch precision {
      // Floats are read where they are.
      case .float32: break
      case .float16: kernels.dequantizeHalf(row + head * headSize * 2, headSize, to)
      case .int8:
        kernels.dequantizeInt8(
          row.assumingMemoryBound(to: Int8.self) + head * headSize, headSize,
          scales(row).assumingMemoryBound(to: Float.self)[head], to)
      }
    }
  }
}
