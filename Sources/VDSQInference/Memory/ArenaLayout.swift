/// The layout of all buffers of a forward pass in one arena, known before the first token.
package struct ArenaLayout: Sendable {
  /// A range of the arena.
  package struct Region: Sendable {
    /// The use of the region, in a report.
    package let name: StaticString
    /// Offset from the arena's start in bytes, a multiple of 64.
    package let offset: Int
    /// Size in bytes, a multiple of 64, over all workers that have a part of their own.
    package let length: Int
    /// Whether the region keeps data of earlier tokens for later ones.
    package let isCache: Bool
  }

  /// The regions in order of their offsets, without gaps.
  package private(set) var regions: [Region] = []
  /// The total size in bytes.
  package private(set) var length = 0
  private var workerStrides: [Int] = []

  init() {}

  /// Adds a region. If each worker has its own, there is one for each of `count` workers.
  ///
  /// - Returns: its index.
  mutating func add(
    _ name: StaticString, _ bytes: Int, each count: Int = 1, isCache: Bool = false
  ) -> Int {
    let stride = (bytes + 63) / 64 * 64
    regions.append(Region(name: name, offset: length, length: stride * count, isCache: isCache))
    workerStrides.append(stride)
    length += stride * count
    return regions.count - 1
  }

  /// The start of a worker's part of a region.
  func offset(_ region: Int, worker: Int) -> Int {
    regions[region].offset + workerStrides[region] * worker
  }
}
