import VDSQFiles
public import VDSQFormat
public import VDSQSemantics

extension Adapter {
  /// Writes the adapter's file.
  ///
  /// - Parameters:
  ///   - path: the path of the file. It appears completely or not at all.
  ///   - replace: whether a file of that name may be replaced.
  /// - Throws: `usage` if it cannot be written.
  /// - Returns: its length in bytes.
  @discardableResult
  public func write(to path: String, replace: Bool) throws(VDSQError) -> Int {
    try contents.write(to: path, replace: replace)
  }
}

extension AdapterContents {
  /// Writes an adapter's file: float32 tensors first, then float16 ones.
  ///
  /// - Throws: `usage` if it cannot be written.
  /// - Returns: its length in bytes.
  public func write(to path: String, replace: Bool) throws(VDSQError) -> Int {
    let writer = try ContainerWriter(
      path: path, kind: .adapter, sectionCount: 3, replace: replace)
    try writer.add(.metadata, "metadata", metadata.encoded())
    try writer.begin(.weights, "adapter")
    for (name, values, shape) in tensors {
      guard case .float32(let numbers) = values else { continue }
      try writer.add(name, .float32, numbers.map(\.bitPattern.littleEndian), shape)
    }
    for (name, values, shape) in tensors {
      guard case .float16(let numbers) = values else { continue }
      try writer.add(name, .float16, numbers.map(\.littleEndian), shape)
    }
    try writer.end()
    return try writer.finish()
  }
}

extension ContainerWriter {
  /// Writes a row-major tensor without scales into the current section.
  fileprivate func add(
    _ name: String, _ element: ElementType, _ bits: [some FixedWidthInteger & BitwiseCopyable],
    _ shape: [Int]
  ) throws(VDSQError) {
    let (start, length) = try bits.withBytes { (raw) throws(VDSQError) in
      (try part(raw), raw.count)
    }
    add(
      TensorRecord(
        name: name, element: element, order: .rowMajor, shape: shape, section: sectionIndex,
        dataOffset: start, dataLength: length, scalesOffset: 0, rowSumsOffset: 0,
        error: QuantizationError(maxAbs: 0, rms: 0, cosine: 1)))
  }
}
