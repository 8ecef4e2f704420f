import VDSQFormat
import VDSQKernels

/// What the distance of two tokens adds to the scores of each head: a table over distances for the
/// kernels of attention, `[heads][width]`.
struct DistanceBiases {
  private let kind: DistanceBias
  private let heads: Int
  /// `[2 limit + 1, heads]`, or a slope for each head.
  private let values: UnsafePointer<Float>

  /// - Returns: nil if distances add nothing.
  /// - Throws: `badInput` if the tensor is missing, has another size, or is not finite.
  init?(_ container: Container, _ c: Architecture) throws(VDSQError) {
    switch c.distanceBias {
    case .none, .disentangled: return nil
    case .learned(let limit):
      values = try container.finite("attention.distances", shape: [2 * limit + 1, c.heads])
    case .linear: values = try container.finite("attention.slopes", shape: [c.heads])
    }
    kind = c.distanceBias
    heads = c.heads
  }

  /// Floats of a head's table for sequences of up to `longest` tokens.
  static func width(longest: Int) -> Int { (2 * longest + 15) / 16 * 16 }

  /// Computes the biases of distances.
  ///
  /// - Parameters:
  ///   - distances: not negative; the other direction is computed too.
  ///   - longest: the length that the table was planned for.
  func compute(
    _ distances: Range<Int>, longest: Int, into table: UnsafeMutablePointer<Float>
  ) {
    let width = Self.width(longest: longest)
    for head in 0..<heads {
      let zero = table + head * width + longest
      for distance in distances {
        switch kind {
        case .none, .disentangled: break
        case .learned(let limit):
          let row = min(distance, limit)
          zero[distance] = values[(limit + row) * heads + head]
          zero[-distance] = values[(limit - row) * heads + head]
        case .linear:
          zero[distance] = -Float(distance) * values[head]
          zero[-distance] = zero[distance]
        }
      }
    }
  }

  /// The biases of a head.
  static func bias(
    of head: Int, in table: UnsafePointer<Float>, longest: Int
  ) -> AttentionBias {
    AttentionBias(origin: table + head * width(longest: longest) + longest, rowStride: -1)
  }
}
