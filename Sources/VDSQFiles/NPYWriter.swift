package import VDSQFormat

/// Writes a NumPy file (format 1.0) of float32 rows. The number of rows is filled in at the end.
package final class NPYWriter {
  private static let headerLength = 128
  private let file: AtomicFile
  private let columns: Int
  private var rows = 0

  /// - Throws: `usage` if the file cannot be written.
  package init(path: String, columns: Int, replace: Bool) throws(VDSQError) {
    self.columns = columns
    file = try AtomicFile(path: path, replace: replace)
    try file.write([UInt8](repeating: 0, count: Self.headerLength))
  }

  /// Appends a row of `columns` values.
  package func append(_ values: UnsafeBufferPointer<Float>) throws(VDSQError) {
    rows += 1
    try file.write(UnsafeRawBufferPointer(values))
  }

  /// Writes the header with the number of rows, and gives the file its name.
  ///
  /// - Throws: `internalFault` if the disk is full or fails.
  package func finish() throws(VDSQError) {
    var header: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    let length = Self.headerLength - 10
    header += [UInt8(length & 0xFF), UInt8(length >> 8)]
    header += Array(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }".utf8)
    header += [UInt8](repeating: 0x20, count: Self.headerLength - 1 - header.count) + [0x0A]
    try file.rewrite(header, at: 0)
    try file.commit()
  }
}
