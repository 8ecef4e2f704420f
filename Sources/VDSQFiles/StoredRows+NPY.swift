package import VDSQFormat

extension StoredRows {
  /// Writes the tensor's values to a .npy file: float32, `[rows, columns]`.
  ///
  /// - Throws: `usage` if the file cannot be written.
  package func write(npy path: String, replace: Bool) throws(VDSQError) {
    let record = view.record
    let file = try NPYWriter(path: path, columns: record.columns, replace: replace)
    var values: [Float] = []
    for row in 0..<record.rows {
      release(before: row)
      self.row(row, into: &values)
      try values.withUnsafeBufferPointer { (values) throws(VDSQError) in try file.append(values) }
    }
    try file.finish()
  }
}
