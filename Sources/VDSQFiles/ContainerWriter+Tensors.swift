package import VDSQFormat

extension ContainerWriter {
  /// Writes a row-major tensor without scales into the current section.
  ///
  /// - Parameter bits: its elements, little-endian.
  /// - Throws: `internalFault` if the disk is full or fails.
  package func add(
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
