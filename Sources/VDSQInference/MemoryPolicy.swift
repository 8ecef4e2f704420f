public import VDSQFormat

/// How layers' weights are in memory. Answers are the same bits under each.
public enum MemoryPolicy: Sendable, Equatable {
  /// All of them, mapped: the fastest.
  case resident
  /// Mapped, and released when a pass has gone through a layer: little more than the largest layer.
  case release
  /// Read into two buffers, the next layer while a pass goes through one, decoded where they are compressed: for models
  /// larger than the memory, and for disks.
  case stream

  /// Returns nil for a name that is no policy's.
  public init?(name: String) {
    for policy in Self.all where policy.name.utf8.elementsEqual(name.utf8) {
      self = policy
      return
    }
    return nil
  }

  /// From the fastest to the smallest.
  public static let all: [MemoryPolicy] = [.resident, .stream, .release]

  /// One that is asked for, or else others.
  public static func among(
    _ wanted: MemoryPolicy?, or others: [MemoryPolicy] = all
  ) -> [MemoryPolicy] {
    wanted.map { [$0] } ?? others
  }

  /// What a container is to decode that is opened for it.
  public var decoding: Container.Decoding { self == .stream ? .allButLayers : .everything }

  public var name: String {
    switch self {
    case .resident: "resident"
    case .release: "release"
    case .stream: "stream"
    }
  }
}
