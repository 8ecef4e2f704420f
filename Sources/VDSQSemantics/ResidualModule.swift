public import VDSQKernels

/// Semantic calibration's module (design section 2.4): `h' = h + up (down h) + offset` clusters states around the
/// labels' anchors.
public struct ResidualModule: Sendable {
  public let rank: Int
  /// `[rank, dimensions]`.
  public let down: [Float]
  /// `[dimensions, rank]`, transposed: `[rank, dimensions]`, a column a row.
  public let up: [Float]
  /// `[dimensions]`.
  public let offset: [Float]

  public init(rank: Int, down: [Float], up: [Float], offset: [Float]) {
    self.rank = rank
    self.down = down
    self.up = up
    self.offset = offset
  }

  /// The module with its displacement scaled: 0 is the identity, 1 this module.
  public func scaled(by strength: Float) -> ResidualModule {
    ResidualModule(
      rank: rank, down: down, up: up.map { $0 * strength }, offset: offset.map { $0 * strength })
  }

  /// Moves a state.
  ///
  /// - Parameters:
  ///   - vector: the state, `dimensions` floats.
  ///   - state: a copy of it, which is moved.
  ///   - inner: room for `rank` floats.
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
}
