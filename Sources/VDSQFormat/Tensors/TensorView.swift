import CShims

/// The parts of a tensor, in place in the map.
package struct TensorView: Sendable {
  /// The tensor's type, order and shape.
  package let record: TensorRecord
  /// Offset of the elements from the start of the file, for reading rows without mapping them; nil
  /// if their section was decoded.
  package let fileOffset: Int?
  /// The first stored element, in the file map or in the memory that holds the decoded section.
  nonisolated(unsafe) public let data: UnsafeRawPointer
  /// `storedRows` elements; integers only.
  nonisolated(unsafe) public let scales: UnsafePointer<Float>?
  /// `storedRows` elements; int8 panels only.
  nonisolated(unsafe) public let rowSums: UnsafePointer<Int32>?
  /// `storedRows` elements; in `groups16` only: sums of a row's weights before its scale.
  nonisolated(unsafe) public let groupSums: UnsafePointer<Float>?
  /// Half-precision numbers, `[panels][groups][16]`; in `groups16` only.
  nonisolated(unsafe) public let factors: UnsafeRawPointer?
  /// Bytes, `[panels][groups][16]`; int4 in `groups16` only.
  nonisolated(unsafe) public let zeroPoints: UnsafeRawPointer?

  /// The elements of a float32 tensor.
  package var floats: UnsafePointer<Float> { data.assumingMemoryBound(to: Float.self) }
}

extension Container {
  /// The tensor of a name, or nil if the file has none of that name.
  package func find(_ name: String) -> TensorView? {
    guard let record = tensors.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
      return nil
    }
    let section = sections[record.section]
    let groups = record.order == .groups16 ? record.groups : nil
    let base = bytes(ofSection: record.section).baseAddress!
    return TensorView(
      record: record,
      fileOffset: section.encoding == .raw ? section.offset + record.dataOffset : nil,
      data: base + record.dataOffset,
      scales: record.element.hasScales
        ? (base + record.scalesOffset).assumingMemoryBound(to: Float.self) : nil,
      rowSums: record.element == .int8 && record.order == .panels16
        ? (base + record.rowSumsOffset).assumingMemoryBound(to: Int32.self) : nil,
      groupSums: groups == nil
        ? nil : (base + record.rowSumsOffset).assumingMemoryBound(to: Float.self),
      factors: groups.map { base + $0.factorsOffset },
      zeroPoints: record.element == .int4 ? groups.map { base + $0.zeroPointsOffset } : nil)
  }

  /// Declares that a tensor's elements are read with `read` and not from the map, so that touching
  /// their neighbours does not make them resident.
  package func expectSparseReads(of view: TensorView) {
    guard view.fileOffset != nil else { return }
    vdsq_isolate_pages(view.data, Int64(view.record.dataLength))
  }

  /// Releases the pages of some bytes of a tensor, which come back when they are touched, and asks
  /// for the bytes behind them. Does nothing if the section was decoded, because then there is no
  /// other copy.
  ///
  /// - Parameters:
  ///   - bytes: the range to release, from the tensor's first element on.
  ///   - expected: the number of bytes behind the range that will be read next.
  package func release(_ view: TensorView, _ bytes: Range<Int>, expecting expected: Int) {
    guard view.fileOffset != nil, !file.isCopy else { return }
    vdsq_release_pages(view.data + bytes.lowerBound, Int64(bytes.count))
    if expected > 0 { vdsq_expect_pages(view.data + bytes.upperBound, Int64(expected)) }
  }

  /// Copies some elements of a tensor without making their pages resident, for example a few rows
  /// of a large table.
  ///
  /// - Throws: `badInput` if the file has become shorter since it was opened.
  package func read(
    _ view: TensorView, at offset: Int, count: Int, into destination: UnsafeMutableRawPointer
  ) throws(VDSQError) {
    guard let start = view.fileOffset else {
      return destination.copyMemory(from: view.data + offset, byteCount: count)
    }
    try file.read(into: destination, count: count, at: start + offset)
  }

  /// A tensor of a known shape.
  ///
  /// - Throws: `badInput` if the file has no tensor of that name, shape and order.
  package func tensor(
    _ name: String, shape: [Int], order: TensorOrder = .rowMajor
  ) throws(VDSQError) -> TensorView {
    guard let view = find(name) else { throw .badInput("\(path): tensor \(name) is missing") }
    guard view.record.shape == shape, view.record.order == order else {
      throw .badInput("\(path): tensor \(name) has another shape or order than the configuration")
    }
    return view
  }

  /// The elements of a float32 tensor of a known shape.
  ///
  /// - Throws: `badInput` if the file has no tensor of that name, shape and type.
  package func floats(_ name: String, shape: [Int]) throws(VDSQError) -> UnsafePointer<Float> {
    let view = try tensor(name, shape: shape)
    guard view.record.element == .float32 else {
      throw .badInput("\(path): tensor \(name) is \(view.record.element.name), not f32")
    }
    return view.floats
  }
}
