package import VDSQFormat

/// Writes a NumPy file (format 1.0) of float32 rows, which are vectors or arrays. The number of
/// rows is filled in at the end.
package final class NPYWriter {
  private static let headerLength = 128
  private let file: AtomicFile
  private let rowShape: [Int]
  private var rows = 0

  /// A matrix.
  ///
  /// - Throws: `usage` if the file cannot be written.
  package convenience init(path: String, columns: Int, replace: Bool) throws(VDSQError) {
    try self.init(path: path, rowShape: [columns], replace: replace)
  }

  /// - Parameter rowShape: the shape of a row; a matrix has one number, its columns.
  /// - Throws: `usage` if the file cannot be written.
  package init(path: String, rowShape: [Int], replace: Bool) throws(VDSQError) {
    self.rowShape = rowShape
    file = try AtomicFile(path: path, replace: replace)
    try file.write([UInt8](repeating: 0, count: Self.headerLength))
  }

  /// The number of values in a row.
  package var rowCount: Int { rowShape.reduce(1, *) }

  /// Appends a row of `rowCount` values.
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
    let shape = "(\(([rows] + rowShape).map { "\($0)" }.joined(separator: ", ")))"
    header += [UInt8(length & 0xFF), UInt8(length >> 8)]
    header += Array(
      "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }".utf8)
    header += [UInt8](repeating: 0x20, count: Self.headerLength - 1 - header.count) + [0x0A]
    try file.rewrite(header, at: 0)
    try file.commit()
  }
}
