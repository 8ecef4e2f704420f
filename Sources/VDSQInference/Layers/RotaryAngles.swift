import CShims
package import VDSQFormat
package import VDSQKernels

/// The rotary positions of an architecture (Su et al. 2021): `[positions][dimensions]` cosines and
/// then sines of the angles of a position.
package struct RotaryAngles {
  /// Rotated elements of a head.
  package let dimensions: Int
  private let scale: Float
  /// `dimensions / 2` frequencies, in radians per position.
  private let frequencies: UnsafePointer<Float>

  /// - Returns: nil if positions are not rotary.
  /// - Throws: `badInput` if the tensor is missing, has another size, or is not finite.
  package init?(_ container: Container, _ c: Architecture) throws(VDSQError) {
    guard case .rotary(let dimensions, let scale) = c.positions else { return nil }
    self.dimensions = dimensions
    self.scale = Float(scale)
    frequencies = try container.finite("rotary.frequencies", shape: [dimensions / 2])
  }

  /// The positions of layers with local attention.
  ///
  /// - Returns: nil if they have none of their own.
  init?(local container: Container, _ c: Architecture) throws(VDSQError) {
    guard c.hasLocalRotary else { return nil }
    dimensions = c.positions.rotaryDimensions
    scale = 1
    frequencies = try container.finite("rotary.local_frequencies", shape: [dimensions / 2])
  }

  /// Computes the angles of some positions.
  ///
  /// - Parameter angles: those of position 0.
  package func compute(_ positions: Range<Int>, into angles: UnsafeMutablePointer<Float>) {
    let half = dimensions / 2
    for position in positions {
      let own = angles + position * dimensions
      for i in 0..<half {
        let angle = Float(position) * frequencies[i]
        own[i] = vdsq_cosf(angle) * scale
        own[half + i] = vdsq_sinf(angle) * scale
      }
    }
  }

  /// Rotates heads that lie side by side.
  ///
  /// - Parameter angles: those of their position.
  package func rotate(
    _ first: UnsafeMutablePointer<Float>, heads: Int, headSize: Int,
    by angles: UnsafePointer<Float>, _ kernels: KernelTable
  ) {
    for head in 0..<heads {
      kernels.rotate(
        first + head * headSize, dimensions, angles, angles + dimensions / 2, .halves)
    }
  }
}
