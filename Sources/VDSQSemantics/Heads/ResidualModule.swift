import VDSQFormat
import VDSQKernels

/// The module of semantic calibration (arXiv 2401.16184): `h' = h + up (down h) + offset` clusters
/// states around the labels' anchors.
package struct ResidualModule: Sendable {
  /// Width of the bottleneck.
  package let rank: Int
  /// `[rank, dimensions]`.
  package let down: [Float]
  /// `[dimensions, rank]`, stored transposed as `[rank, dimensions]`.
  package let up: [Float]
  /// `[dimensions]`.
  package let offset: [Float]

  /// The names of its tensors in an adapter's file.
  enum Name {
    static let down = "calibration.down"
    static let up = "calibration.up"
    static let offset = "calibration.offset"
  }

  /// - Parameters:
  ///   - rank: width of the bottleneck.
  ///   - down: `[rank, dimensions]`.
  ///   - up: `[rank, dimensions]`, transposed.
  ///   - offset: `[dimensions]`.
  package init(rank: Int, down: [Float], up: [Float], offset: [Float]) {
    self.rank = rank
    self.down = down
    self.up = up
    self.offset = offset
  }

  /// The module with its displacement scaled: 0 is the identity, 1 is this module.
  package func scaled(by strength: Float) -> ResidualModule {
    ResidualModule(
      rank: rank, down: down, up: up.map { $0 * strength }, offset: offset.map { $0 * strength })
  }

  var scratchCount: Int { rank }

  var bytes: Int { 4 * (down.count + up.count + offset.count) }

  /// Moves a state.
  ///
  /// - Parameters:
  ///   - vector: the state, `dimensions` floats.
  ///   - state: a copy of it, which is moved.
  ///   - inner: a buffer of `rank` floats.
  func apply(
    _ vector: UnsafePointer<Float>, to state: UnsafeMutablePointer<Float>,
    inner: UnsafeMutablePointer<Float>, _ kernels: KernelTable
  ) {
    let d = offset.count
    kernels.dotRows(vector, down, rank, d, inner)
    kernels.addScaled(1, offset, d, state)
    up.withUnsafeBufferPointer { up in
      for r in 0..<rank { kernels.addScaled(inner[r], up.baseAddress! + r * d, d, state) }
    }
  }

  /// The displacement of a state: `up (down h) + offset`.
  func displacement(of state: [Float]) -> [Float] {
    let d = offset.count
    var moved = offset
    var inner = [Float](repeating: 0, count: rank)
    for r in 0..<rank {
      for j in 0..<d { inner[r] += down[r * d + j] * state[j] }
    }
    for j in 0..<d {
      for r in 0..<rank { moved[j] += inner[r] * up[r * d + j] }
    }
    return moved
  }

  init(_ file: Container, dimensions d: Int) throws(VDSQError) {
    rank = try file.metadata.integer("rank", in: 1...65536)
    down = try file.finiteFloats(Name.down, shape: [rank, d])
    up = try file.finiteFloats(Name.up, shape: [rank, d])
    offset = try file.finiteFloats(Name.offset, shape: [d])
  }

  func store(in contents: inout AdapterContents) {
    let d = offset.count
    contents.metadata.set("rank", .integer(rank))
    contents.add(Name.down, .float32(down), shape: [rank, d])
    contents.add(Name.up, .float32(up), shape: [rank, d])
    contents.add(Name.offset, .float32(offset), shape: [d])
  }
}
