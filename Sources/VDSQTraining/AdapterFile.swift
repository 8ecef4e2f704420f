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
