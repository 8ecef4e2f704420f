import CShims
public import VDSQKernels

/// Logits that bend: chosen examples vote for labels, each by how close a text is to it, `exp(sharpness (cosine - 1))`
/// (a Gaussian kernel of vectors of length 1).
public struct KernelHead: Sendable {
  public let dimensions: Int
  /// `[centers, dimensions]`, fp16 bits, each row of length 1.
  public let centers: [UInt16]
  /// What a center adds to each label's logit where a text is on it, `[labels, centers]`.
  public let votes: [Float]
  /// How fast votes fade; above 0.
  public let sharpness: Float

  public var count: Int { centers.count / dimensions }

  public init(dimensions: Int, centers: [UInt16], votes: [Float], sharpness: Float) {
    self.dimensions = dimensions
    self.centers = centers
    self.votes = votes
    self.sharpness = sharpness
  }

  /// The head with its votes multiplied by a factor.
  public func scaled(by factor: Float) -> KernelHead {
    KernelHead(
      dimensions: dimensions, centers: centers, votes: votes.map { $0 * factor },
      sharpness: sharpness)
  }

  /// How close a vector is to each center, from 0 to 1.
  ///
  /// - Parameters:
  ///   - vector: `dimensions` floats, of any length.
  ///   - out: room for a float a center.
  public func closeness(
    _ vector: UnsafePointer<Float>, _ kernels: KernelTable, into out: UnsafeMutablePointer<Float>
  ) {
    let norm = length(vector, dimensions)
    closeness(vector, scale: norm > 0 ? 1 / norm : 0, kernels, into: out)
  }

  /// The same, with what cosines are multiplied by: 1 makes it symmetric between centers, whose lengths are rounded.
  public func closeness(
    _ vector: UnsafePointer<Float>, scale: Float, _ kernels: KernelTable,
    into out: UnsafeMutablePointer<Float>
  ) {
    centers.withUnsafeBytes {
      kernels.dotHalfRows(vector, $0.baseAddress!, count, dimensions, out)
    }
    for i in 0..<count { out[i] = vdsq_expf(sharpness * (out[i] * scale - 1)) }
  }

  /// Adds the votes to logits.
  ///
  /// - Parameters:
  ///   - vector: as above.
  ///   - closeness: room for a float a center.
  ///   - logits: a float a label.
  public func add(
    _ vector: UnsafePointer<Float>, _ kernels: KernelTable, closeness: inout [Float],
    to logits: inout [Float]
  ) {
    closeness.withUnsafeMutableBufferPointer {
      self.closeness(vector, kernels, into: $0.baseAddress!)
    }
    for label in logits.indices {
      var vote: Float = 0
      votes.withUnsafeBufferPointer {
        kernels.dotRows(closeness, $0.baseAddress! + label * count, 1, count, &vote)
      }
      logits[label] += vote
    }
  }
}
