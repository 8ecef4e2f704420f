package import VDSQFormat

/// A NumPy array (format 1.0 to 3.0): a matrix of floats in C order. The array is a `.npy` file or
/// an array of an `.npz` file. `FILE.npz:NAME` names an array if the file has several.
package struct NPYFile {
  /// The array in place: its type (float64, float32 or float16), shape and offset.
  package let tensor: SourceTensor
  /// As it was named, with the array's name.
  private let path: String

  /// - Throws: `missingInput` or `badInput`, naming the unsupported feature.
  package init(path: String) throws(VDSQError) {
    self.path = path
    let (file, place) = try Self.place(path)
    let end = place.upperBound
    guard place.count >= 10 else { throw .badInput("\(path): too short for a .npy file") }
    let start = try file.bytes(at: place.lowerBound, count: min(12, place.count))
    guard start.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw .badInput("\(path): not a .npy file (its first bytes are others)")
    }
    var prefix: Int
    let length: Int
    switch start[6] {
    case 1: (prefix, length) = (10, Int(start[8]) | Int(start[9]) << 8)
    case 2, 3:
      guard start.count == 12 else { throw .badInput("\(path): truncated in its header") }
      (prefix, length) = (12, (8..<12).reduce(0) { $0 | Int(start[$1]) << (8 * ($1 - 8)) })
    default: throw .badInput("\(path): .npy format \(start[6]) is not known to this program")
    }
    prefix += place.lowerBound
    guard length <= 1 << 16, prefix + length <= end else {
      throw .badInput("\(path): the header of \(length) bytes does not fit the file")
    }
    let header = String(decoding: try file.bytes(at: prefix, count: length), as: UTF8.self)
    let types: [(String, SourceType)] = [
      ("<f8", .float64), ("<f4", .float32), ("<f2", .float16),
    ]
    guard let type = types.first(where: { header.contains("'descr': '\($0.0)'") })?.1 else {
      throw .badInput("\(path): the array's type is not one of float64, float32, float16")
    }
    guard header.contains("'fortran_order': False") else {
      throw .badInput("\(path): the array is in Fortran order; save numpy.ascontiguousarray of it")
    }
    let shape = try Self.shape(header, path)
    let (count, overflow) = shape[0].multipliedReportingOverflow(by: shape[1])
    guard !overflow, count <= Int.max / type.blockSize,
      type.bytes(of: count) == end - prefix - length
    else {
      throw .badInput(
        "\(path): \(end - prefix - length) bytes do not match the shape \(shape)")
    }
    tensor = SourceTensor(
      name: "array", type: type, shape: shape, file: file, offset: prefix + length)
  }

  /// The location of the array.
  private static func place(_ path: String) throws(VDSQError) -> (InputFile, Range<Int>) {
    let cut = path.lowercased().contains(".npz:") ? path.lastIndex(of: ":") : nil
    let file = try InputFile(path: cut.map { String(path[..<$0]) } ?? path)
    guard file.path.lowercased().hasSuffix(".npz") else { return (file, 0..<file.length) }
    let entries = try ZipDirectory(file).entries
    let names = entries.keys.filter { $0.hasSuffix(".npy") }.sorted()
    let wanted =
      cut.map { "\(path[path.index(after: $0)...]).npy" } ?? (names.count == 1 ? names[0] : nil)
    guard let wanted, let entry = entries[wanted] else {
      throw .badInput(
        "\(file.path): name one of its arrays, as in \(file.path):NAME: "
          + names.map { String($0.dropLast(4)) }.joined(separator: ", "))
    }
    return (file, entry.offset..<entry.offset + entry.length)
  }

  /// The shape as rows and columns. A vector is one row.
  private static func shape(_ header: String, _ path: String) throws(VDSQError) -> [Int] {
    guard let key = header.utf8.firstRange(of: "'shape': (".utf8),
      let end = header[key.upperBound...].firstIndex(of: ")")
    else { throw .badInput("\(path): no shape in the header") }
    var shape: [Int] = []
    for part in header[key.upperBound..<end].split(separator: ",") {
      let text = part.drop { $0 == " " }
      if text.isEmpty { continue }
      guard let size = Int(text), size >= 1 else {
        throw .badInput("\(path): a dimension is no size, or the array is empty")
      }
      shape.append(size)
    }
    guard shape.count == 1 || shape.count == 2 else {
      throw .badInput("\(path): \(shape.count) dimensions; a matrix has two")
    }
    return shape.count == 1 ? [1, shape[0]] : shape
  }
}

extension NPYFile {
  /// Calls `body` with each row, as floats.
  ///
  /// - Parameter columns: numbers that a row must have.
  /// - Throws: `badInput` if rows have another length, or the file is cut short.
  package func forEachRow(
    of columns: Int, _ body: (UnsafePointer<Float>) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    guard tensor.columns == columns else {
      throw .badInput(
        "\(path): rows of \(tensor.columns) numbers; the bases have \(columns)")
    }
    for row in 0..<tensor.rows {
      try tensor.read(rows: row..<row + 1).withUnsafeBufferPointer {
        (row) throws(VDSQError) in try body(row.baseAddress!)
      }
    }
  }
}

extension NPYFile {
  /// The array, which must be one vector.
  ///
  /// - Throws: `badInput` if it has several rows, or the file is cut short.
  package func vector() throws(VDSQError) -> [Float] {
    guard tensor.rows == 1 else {
      throw .badInput("\(path): \(tensor.rows) rows; a direction is one vector")
    }
    return try tensor.read(rows: 0..<1)
  }
}
