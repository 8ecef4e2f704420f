/// Where everything that a forward pass needs lies in one arena, known before the first token.
public struct ArenaLayout: Sendable {
  /// A stretch of the arena.
  public struct Region: Sendable {
    public let name: StaticString
    public let offset: Int
    public let length: Int
    /// Whether it keeps what earlier tokens left for later ones.
    public let isCache: Bool
  }

  public private(set) var regions: [Region] = []
  /// Bytes in all.
  public private(set) var length = 0
  private var workerStrides: [Int] = []

  init() {}

  /// Adds a region, one for each of `count` workers where each has its own.
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

  /// Where a worker's part of a region starts.
  func offset(_ region: Int, worker: Int) -> Int {
    regions[region].offset + workerStrides[region] * worker
  }
}
