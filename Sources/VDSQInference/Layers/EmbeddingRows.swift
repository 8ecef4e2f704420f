package import VDSQFormat
package import VDSQKernels

/// Rows of an embedding table, read from the file rather than the map. A text needs few rows of the
/// table, and mapped pages around each of them would become resident. Frequent rows are cached.
struct EmbeddingRows {
  /// The number of rows that each worker caches, by the low bits of their ids. Most words of a text
  /// are frequent.
  static let kept = 256

  let table: TensorView
  let container: Container
  let kernels: KernelTable
  let arena: Arena
  let memory: Memory

  /// The regions of an arena that hold the cached rows, for each worker.
  struct Memory: Sendable {
    let rows: Int
    let ids: Int
    /// The size of a row in the file.
    let rowBytes: Int

    init(_ layout: inout ArenaLayout, rowBytes: Int, threads: Int) {
      self.rowBytes = rowBytes
      rows = layout.add(
        "embeddings of recent words", EmbeddingRows.kept * rowBytes, each: threads)
      ids = layout.add("ids of recent words", EmbeddingRows.kept * 4, each: threads)
    }
  }

  /// Copies a row as floats.
  ///
  /// - Returns: whether it could be read.
  func load(_ id: Int, into state: UnsafeMutablePointer<Float>, worker: Int) -> Bool {
    let bytesPerRow = memory.rowBytes
    let slot = id % Self.kept
    let ids = arena.region(memory.ids, as: Int32.self, worker: worker)
    let bytes = UnsafeMutableRawPointer(
      arena.region(memory.rows, as: UInt8.self, worker: worker) + slot * bytesPerRow)
    var readable = true
    // The arena is zero at first, so slots hold ids plus one.
    if ids[slot] != Int32(id) + 1 {
      do {
        try container.read(table, at: id * bytesPerRow, count: bytesPerRow, into: bytes)
        ids[slot] = Int32(id) + 1
      } catch {
        ids[slot] = 0
        readable = false
      }
    }
    table.load(bytes, row: id, kernels, into: state)
    return readable
  }
}

extension TensorView {
  /// Converts a row of a table to floats, from bytes that may be a copy.
  package func load(
    _ bytes: UnsafeRawPointer, row: Int, _ kernels: KernelTable,
    into state: UnsafeMutablePointer<Float>
  ) {
    let columns = record.columns
    switch record.element {
    case .int4: loadGroups(bytes, scale: scales![row], into: state)
    case .int8, .bits2, .bits4:
      kernels.dequantizeInt8(
        bytes.assumingMemoryBound(to: Int8.self), columns, scales![row], state)
    case .float16: kernels.dequantizeHalf(bytes, columns, state)
    case .float32:
      for i in 0..<columns {
        state[i] = (bytes + i * 4).loadUnaligned(as: Float.self)
      }
    }
  }

  /// Converts a row of `rowGroups` to floats.
  private func loadGroups(
    _ bytes: UnsafeRawPointer, scale: Float, into state: UnsafeMutablePointer<Float>
  ) {
    guard let groups = record.groups else { return }
    let columns = record.columns
    let factors = bytes + columns / 2
    let zeroPoints = factors + 2 * groups.count(columns: columns)
    for (place, first) in stride(from: 0, to: columns, by: groups.length).enumerated() {
      let factor = (factors + 2 * place).loadUnaligned(as: UInt16.self)
      let step = scale * Float(Float16(bitPattern: factor))
      let zeroPoint = Int16(zeroPoints.load(fromByteOffset: place, as: UInt8.self))
      for k in stride(from: first, to: min(first + groups.length, columns), by: 8) {
        let packed = (bytes + k / 2).loadUnaligned(as: UInt32.self)
        let low = UInt64(packed & 0x0F0F_0F0F), high = UInt64(packed >> 4 & 0x0F0F_0F0F)
        let four = unsafeBitCast(low | high << 32, to: SIMD8<UInt8>.self)
        let value = SIMD8<Int16>(truncatingIfNeeded: four) &<< 3 &- zeroPoint
        UnsafeMutableRawPointer(state + k).storeBytes(
          of: SIMD8<Float>(value) * step, as: SIMD8<Float>.self)
      }
    }
  }
}
