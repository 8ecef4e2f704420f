package import VDSQFormat

/// How the weights of layers are kept in memory. Results are bit-identical under all policies.
public enum MemoryPolicy: Sendable, Equatable {
  /// All layers are mapped and stay resident. This is the fastest policy.
  case resident
  /// Layers are mapped, and released behind the pass. This takes little more than the largest
  /// layer.
  case release
  /// Layers are read into two buffers, the next one while a pass uses the current one, and decoded
  /// if they are compressed. For models larger than memory, and for slow disks.
  case stream

  /// Returns nil for an unknown name.
  public init?(name: String) {
    for policy in Self.all where policy.name.utf8.elementsEqual(name.utf8) {
      self = policy
      return
    }
    return nil
  }

  /// All policies, from the fastest to the smallest.
  public static let all: [MemoryPolicy] = [.resident, .stream, .release]

  /// The requested policy alone, or else the given ones.
  package static func among(
    _ wanted: MemoryPolicy?, or others: [MemoryPolicy] = all
  ) -> [MemoryPolicy] {
    wanted.map { [$0] } ?? others
  }

  /// The sections to decode when a container is opened for this policy.
  package var decoding: Container.Decoding { self == .stream ? .allButLayers : .everything }

  /// The policy in reports.
  public var name: String {
    switch self {
    case .resident: "resident"
    case .release: "release"
    case .stream: "stream"
    }
  }
}
