package import VDSQFormat

/// A tensor in a checkpoint file, read by rows.
package struct SourceTensor {
  /// The order of rows in the file.
  package enum RowOrder: Sendable {
    /// Row i of the tensor is row i in the file.
    case asNamed
    /// Within each head, rows of the first half alternate with rows of the second half, as
    /// llama.cpp stores queries and keys with rotary positions.
    case alternatingHalves(headSize: Int)
    /// Row i of the tensor is the row in the file that the list has at i.
    case listed([Int32])

    /// The position of a row.
    func place(of row: Int) -> Int {
      switch self {
      case .asNamed: return row
      case .alternatingHalves(let size):
        let place = row % size
        return row - place + place % (size / 2) * 2 + place / (size / 2)
      case .listed(let rows): return Int(rows[row])
      }
    }
  }

  /// Columns of a matrix in the file that are the rows of a tensor.
  package struct StoredColumns: Sendable {
    /// The column that is the first row.
    let first: Int
    /// The columns of the matrix in the file.
    let stride: Int
  }

  /// What is subtracted from the integers of each row, and what multiplies them then.
  package struct RowScales: Sendable {
    /// One for all rows, or one for each.
    let factors: [Float]
    /// None, one for all rows, or one for each.
    let zeroPoints: [Float]
  }

  /// The name in the checkpoint, for error messages.
  package let name: String
  /// The element type in the file.
  package let type: SourceType
  /// The dimensions, rows first; the last one is the number of columns.
  package private(set) var shape: [Int]
  /// The file that holds the elements.
  package let file: InputFile
  /// The position of the first element in the file, in bytes.
  package let offset: Int
  /// The order of rows in the file.
  package var order = RowOrder.asNamed
  /// Integers only.
  var scales: SourceScales?
  /// Whether a matrix that the architecture stores by columns is stored by rows in this file.
  package var isTransposed = false
  /// Where rows are columns of a matrix in the file; nil if they are its rows.
  var storedColumns: StoredColumns?
  /// Scales of whole rows; integers only.
  var rowScales: RowScales?

  /// Describes a tensor whose elements are at `offset` bytes of the file. Reads nothing.
  package init(name: String, type: SourceType, shape: [Int], file: InputFile, offset: Int) {
    self.name = name
    self.type = type
    self.shape = shape
    self.file = file
    self.offset = offset
  }

  /// The number of elements; 1 for a scalar.
  package var count: Int { shape.reduce(1, *) }
  /// The last dimension; 1 for a scalar.
  package var columns: Int { shape.last ?? 1 }
  /// The product of all dimensions but the last; 1 for a vector or a scalar.
  package var rows: Int { shape.dropLast().reduce(1, *) }
  /// The size in the file in bytes, without the scales of an int8 tensor.
  package var byteCount: Int { type.bytes(of: count) }

  /// Rows of a matrix in another order, in which some may be there several times or not at all.
  func listed(_ rows: [Int32]) -> SourceTensor {
    var other = self
    other.shape = [rows.count, columns]
    other.order = .listed(rows)
    return other
  }

  /// The same tensor by another name.
  func named(_ name: String) -> SourceTensor {
    var other = SourceTensor(name: name, type: type, shape: shape, file: file, offset: offset)
    (other.order, other.scales, other.rowScales) = (order, scales, rowScales)
    (other.storedColumns, other.isTransposed) = (storedColumns, isTransposed)
    return other
  }

  /// The same elements in rows of `columns` elements. `columns` must divide their number.
  package func reshaped(columns: Int) -> SourceTensor {
    var other = self
    other.shape = [count / columns, columns]
    return other
  }

  /// Reads whole columns of a matrix of floats, each as a row: `[range.count, rows]`.
  ///
  /// - Throws: `badInput` if the file ends early, a value is not finite as a float32, or elements
  ///   come in blocks.
  package func read(columns range: Range<Int>) throws(VDSQError) -> [Float] {
    guard type.blockLength == 1, scales == nil, storedColumns == nil, rowScales == nil else {
      throw .badInput(
        "\(file.path): tensor \(name) of type \(type.name) has no columns to read")
    }
    var values = [Float](repeating: 0, count: range.count * rows)
    for row in 0..<rows {
      let raw = try file.bytes(
        at: offset + type.bytes(of: row * columns + range.lowerBound),
        count: type.bytes(of: range.count))
      let part = decode(raw, count: range.count)
      for (i, value) in part.enumerated() { values[i * rows + row] = value }
    }
    try check(values) { "column \(range.lowerBound + $0 / rows)" }
    return values
  }

  /// Reads whole rows as floats.
  ///
  /// - Throws: `badInput` if the file ends early, or a value is not finite as a float32.
  package func read(rows range: Range<Int>) throws(VDSQError) -> [Float] {
    var values = try elements(ofRows: range)
    try scale(&values, range)
    try check(values) { "row \(range.lowerBound + $0 / columns)" }
    return values
  }

  /// The elements of rows, before scales.
  private func elements(ofRows range: Range<Int>) throws(VDSQError) -> [Float] {
    guard let storedColumns else {
      return decode(try bytes(ofRows: range), count: range.count * columns)
    }
    var values = [Float](repeating: 0, count: range.count * columns)
    for column in 0..<columns {
      let place = column * storedColumns.stride + storedColumns.first + range.lowerBound
      let raw = try file.bytes(
        at: offset + type.bytes(of: place), count: type.bytes(of: range.count))
      for (i, value) in decode(raw, count: range.count).enumerated() {
        values[i * columns + column] = value
      }
    }
    return values
  }

  /// Reads whole rows as doubles, into a buffer of `range.count * columns` elements.
  ///
  /// - Throws: `badInput` if the file ends early, or a value is not finite.
  package func read(
    rows range: Range<Int>, into out: UnsafeMutablePointer<Double>
  ) throws(VDSQError) {
    let count = range.count * columns
    if type == .float64, storedColumns == nil {
      let raw = try bytes(ofRows: range)
      raw.withUnsafeBytes {
        for i in 0..<count {
          let bits = $0.loadUnaligned(fromByteOffset: i * 8, as: UInt64.self)
          out[i] = Double(bitPattern: UInt64(littleEndian: bits))
        }
      }
    } else {
      var values = try elements(ofRows: range)
      try scale(&values, range)
      for (i, value) in values.enumerated() { out[i] = Double(value) }
    }
    for i in 0..<count where !out[i].isFinite {
      throw .badInput(
        "\(file.path): tensor \(name) has the value \(out[i]) in row "
          + "\(range.lowerBound + i / columns); weights must be finite")
    }
  }

  /// Subtracts zero points from integers and multiplies them by their scales.
  private func scale(_ values: inout [Float], _ rows: Range<Int>) throws(VDSQError) {
    if let rowScales { rowScales.apply(to: &values, rows, columns: columns) }
    guard let scales else { return }
    let groups = columns / scales.columns
    let size = scales.type.bytes(of: groups)
    for (i, row) in rows.enumerated() {
      let place = scales.areShared ? 0 : order.place(of: row)
      let raw = try file.bytes(at: scales.offset + place * size, count: size)
      var zeros: [Float]?
      if let offset = scales.zeroPoints {
        zeros = decode(
          try file.bytes(at: offset + place * groups, count: groups), count: groups, as: .int8)
      }
      for (group, scale) in decode(raw, count: groups, as: scales.type).enumerated() {
        let first = i * columns + group * scales.columns
        let zero = zeros?[group] ?? 0
        for j in first..<first + scales.columns {
          values[j] = (values[j] - zero) * scale * scales.factor
        }
      }
    }
  }

  private func bytes(ofRows range: Range<Int>) throws(VDSQError) -> [UInt8] {
    let size = type.bytes(of: columns)
    if case .asNamed = order {
      return try file.bytes(at: offset + range.lowerBound * size, count: range.count * size)
    }
    var raw = [UInt8](repeating: 0, count: range.count * size)
    try raw.withMutableBytes { (raw) throws(VDSQError) in
      for (i, row) in range.enumerated() {
        try file.read(
          into: UnsafeMutableRawBufferPointer(rebasing: raw[i * size..<(i + 1) * size]),
          at: offset + order.place(of: row) * size)
      }
    }
    return raw
  }

  private func check(
    _ values: [Float], _ place: (Int) -> String
  ) throws(VDSQError) {
    // Zero times a value is NaN exactly if the value is not finite.
    var sum: SIMD8<Float> = .zero
    values.withUnsafeBytes { raw in
      for i in stride(from: 0, to: values.count & ~7, by: 8) {
        sum += raw.loadUnaligned(fromByteOffset: i * 4, as: SIMD8<Float>.self) * 0
      }
    }
    if sum == .zero, values[(values.count & ~7)...].allSatisfy(\.isFinite) { return }
    for (i, value) in values.enumerated() where !value.isFinite {
      throw .badInput(
        "\(file.path): tensor \(name) has the value \(value) in \(place(i)); weights must be finite"
      )
    }
  }

  private func decode(_ raw: [UInt8], count: Int, as type: SourceType? = nil) -> [Float] {
    let type = type ?? self.type
    return [Float](unsafeUninitializedCapacity: count) { out, initialized in
      raw.withUnsafeBytes { type.decode($0, count: count, into: out.baseAddress!) }
      initialized = count
    }
  }
}

extension SourceTensor.RowScales {
  /// Subtracts zero points from integers of some rows and multiplies them by their scales.
  fileprivate func apply(to values: inout [Float], _ rows: Range<Int>, columns: Int) {
    func of(_ row: Int, _ all: [Float]) -> Float { all.count == 1 ? all[0] : all[row] }
    for (i, row) in rows.enumerated() {
      let factor = of(row, factors)
      let zero = zeroPoints.isEmpty ? 0 : of(row, zeroPoints)
      for j in i * columns..<(i + 1) * columns { values[j] = (values[j] - zero) * factor }
    }
  }
}
