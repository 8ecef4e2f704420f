public import VDSQFormat

/// The element types that checkpoints store weights in.
public enum SourceType: String, Sendable {
  case float64 = "F64"
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"

  public var size: Int {
    switch self {
    case .float64: 8
    case .float32: 4
    case .float16, .bfloat16: 2
    }
  }
}

/// A tensor in a checkpoint file, read by rows.
public struct SourceTensor {
  public let name: String
  public let type: SourceType
  public private(set) var shape: [Int]
  public let file: InputFile
  public let offset: Int

  public var count: Int { shape.reduce(1, *) }
  public var columns: Int { shape.last ?? 1 }
  public var rows: Int { shape.dropLast().reduce(1, *) }
  public var byteCount: Int { count * type.size }

  /// The same elements in rows of `columns`, which must divide their number.
  public func reshaped(columns: Int) -> SourceTensor {
    var other = self
    other.shape = [count / columns, columns]
    return other
  }

  /// Reads whole columns of a matrix, each as a row: `[range.count, rows]`.
  ///
  /// - Throws: `badInput` where the file ends early, or a value is not finite as a float32.
  public func read(columns range: Range<Int>) throws(VDSQError) -> [Float] {
    var values = [Float](repeating: 0, count: range.count * rows)
    let width = range.count * type.size
    for row in 0..<rows {
      let raw = try file.bytes(
        at: offset + (row * columns + range.lowerBound) * type.size, count: width)
      let part = decode(raw, count: range.count)
      for (i, value) in part.enumerated() { values[i * rows + row] = value }
    }
    try check(values) { "column \(range.lowerBound + $0 / rows)" }
    return values
  }

  /// Reads whole rows as floats.
  ///
  /// - Throws: `badInput` where the file ends early, or a value is not finite as a float32.
  public func read(rows range: Range<Int>) throws(VDSQError) -> [Float] {
    let count = range.count * columns
    let raw = try file.bytes(
      at: offset + range.lowerBound * columns * type.size, count: count * type.size)
    let values = decode(raw, count: count)
    try check(values) { "row \(range.lowerBound + $0 / columns)" }
    return values
  }

  /// Reads whole rows as doubles, into room for `range.count * columns` of them.
  ///
  /// - Throws: `badInput` where the file ends early, or a value is not finite.
  public func read(
    rows range: Range<Int>, into out: UnsafeMutablePointer<Double>
  ) throws(VDSQError) {
    let count = range.count * columns
    if type == .float64 {
      try file.read(
        into: UnsafeMutableRawBufferPointer(start: out, count: count * 8),
        at: offset + range.lowerBound * columns * 8)
      for i in 0..<count { out[i] = Double(bitPattern: UInt64(littleEndian: out[i].bitPattern)) }
    } else {
      let raw = try file.bytes(
        at: offset + range.lowerBound * columns * type.size, count: count * type.size)
      for (i, value) in decode(raw, count: count).enumerated() { out[i] = Double(value) }
    }
    for i in 0..<count where !out[i].isFinite {
      throw .badInput(
        "\(file.path): tensor \(name) has the value \(out[i]) in row "
          + "\(range.lowerBound + i / columns); weights must be finite")
    }
  }

  private func check(
    _ values: [Float], _ place: (Int) -> String
  ) throws(VDSQError) {
    for (i, value) in values.enumerated() where !value.isFinite {
      throw .badInput(
        "\(file.path): tensor \(name) has the value \(value) in \(place(i)); weights must be finite"
      )
    }
  }

  private func decode(_ raw: [UInt8], count: Int) -> [Float] {
    let type = type
    return [Float](unsafeUninitializedCapacity: count) { out, initialized in
      raw.withUnsafeBytes { raw in
        switch type {
        case .float32:
          for i in 0..<count {
            let bits = raw.loadUnaligned(fromByteOffset: i * 4, as: UInt32.self)
            out[i] = Float(bitPattern: UInt32(littleEndian: bits))
          }
        case .float16:
          for i in 0..<count {
            let bits = raw.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self)
            out[i] = Float(Float16(bitPattern: UInt16(littleEndian: bits)))
          }
        case .bfloat16:
          for i in 0..<count {
            let bits = raw.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self)
            out[i] = Float(bitPattern: UInt32(UInt16(littleEndian: bits)) << 16)
          }
        case .float64:
          for i in 0..<count {
            let bits = raw.loadUnaligned(fromByteOffset: i * 8, as: UInt64.self)
            out[i] = Float(Double(bitPattern: UInt64(littleEndian: bits)))
          }
        }
      }
      initialized = count
    }
  }
}
