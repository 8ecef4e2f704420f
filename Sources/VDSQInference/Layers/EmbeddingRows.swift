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

    init(_ layout: inout ArenaLayout, columns: Int, element: ElementType, threads: Int) {
      let width = EmbeddingRows.kept * columns * EmbeddingRows.width(element)
      rows = layout.add("embeddings of recent words", width, each: threads)
      ids = layout.add("ids of recent words", EmbeddingRows.kept * 4, each: threads)
    }
  }

  static func width(_ element: ElementType) -> Int {
    switch element {
    case .float32: 4
    case .float16: 2
    case .int8, .int4, .bits2, .bits4: 1
    }
  }

  /// Copies a row as floats.
  ///
  /// - Returns: whether it could be read.
  func load(_ id: Int, into state: UnsafeMutablePointer<Float>, worker: Int) -> Bool {
    let columns = table.record.columns
    let bytesPerRow = columns * Self.width(table.record.element)
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
    case .int8, .int4, .bits2, .bits4:
      kernels.dequantizeInt8(
        bytes.assumingMemoryBound(to: Int8.self), columns, scales![row], state)
    case .float16: kernels.dequantizeHalf(bytes, columns, state)
    case .float32:
      for i in 0..<columns {
        state[i] = (bytes + i * 4).loadUnaligned(as: Float.self)
      }
    }
  }
}
