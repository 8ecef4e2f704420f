extension ScalarReference {
  /// The cosine of a query to one int8 row: the product of the integers times both reciprocal
  /// norms, in float32 and in this order. Every kernel keeps this order.
  public static func cosine(_ query: Int8Query, _ m: Int8Rows, _ row: Int) -> Float {
    var sum: Int32 = 0
    for k in 0..<m.columns {
      sum += Int32(m.values[row * m.columns + k]) * Int32(query.values[k])
    }
    return Float(sum) * m.reciprocalNorms[row] * query.reciprocalNorm
  }

  /// The estimate of a row's cosine from its codes, up to a factor of the query.
  public static func coarseEstimate(_ query: CoarseQuery, _ m: CoarseRows, _ row: Int) -> Float {
    let rowBytes = CoarseRows.rowBytes(m.columns)
    let block = m.codes + row / CoarseRows.blockRows * rowBytes * 64
    let inBlock = row % CoarseRows.blockRows
    let lane = inBlock < 32 ? 2 * inBlock : 2 * (inBlock - 32) + 1
    var sum = 0
    for byte in 0..<rowBytes {
      let code = Int(block.load(fromByteOffset: byte * 64 + lane, as: UInt8.self))
      sum += Int(query.tables[byte * 32 + code & 15])
      sum += Int(query.tables[byte * 32 + 16 + code >> 4])
    }
    return (Float(sum) - query.offset) * m.scales[row]
  }

  /// `out[i] = x . m[i]` for each row of a float matrix, `[rows, columns]`.
  public static func dotRows(
    _ x: UnsafePointer<Float>, _ m: UnsafePointer<Float>, _ rows: Int, _ columns: Int,
    _ out: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows { out[row] = dot(x, m + row * columns, columns) }
  }
}
