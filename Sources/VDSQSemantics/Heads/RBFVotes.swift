import CShims
import VDSQFormat
package import VDSQKernels

/// The solution of a kernel ridge regression: examples that vote for labels by a Gaussian radial
/// basis function (RBF) of unit vectors.
package struct RBFVotes: Sendable {
  /// The number of dimensions of a center.
  package let dimensions: Int
  /// `[centers, dimensions]`, fp16 bits, each row of length 1.
  package let centers: [UInt16]
  /// `[labels, centers]`: the contribution of a center to the logit of each label for a state at
  /// the center.
  package let weights: [Float]
  /// How fast votes fade with distance; above 0.
  package let sharpness: Float

  /// Number of centers.
  package var count: Int { centers.count / dimensions }

  /// - Parameters:
  ///   - dimensions: the number of dimensions of a center.
  ///   - centers: `[centers, dimensions]`, fp16 bits, each row of length 1.
  ///   - weights: `[labels, centers]`.
  ///   - sharpness: how fast votes fade with distance; above 0.
  package init(dimensions: Int, centers: [UInt16], weights: [Float], sharpness: Float) {
    self.dimensions = dimensions
    self.centers = centers
    self.weights = weights
    self.sharpness = sharpness
  }

  /// The same centers with their weights multiplied by a factor.
  package func scaled(by factor: Float) -> RBFVotes {
    RBFVotes(
      dimensions: dimensions, centers: centers, weights: weights.map { $0 * factor },
      sharpness: sharpness)
  }

  /// The closeness of a vector to each center, from 0 to 1.
  ///
  /// - Parameters:
  ///   - vector: `dimensions` floats of any length.
  ///   - out: a buffer of one float per center.
  package func closeness(
    _ vector: UnsafePointer<Float>, _ kernels: KernelTable, into out: UnsafeMutablePointer<Float>
  ) {
    let norm = length(vector, dimensions)
    closeness(vector, scale: norm > 0 ? 1 / norm : 0, kernels, into: out)
  }

  /// The closeness of a vector to each center, with a factor for cosines. The factor 1 makes
  /// closeness symmetric between centers, whose lengths are rounded.
  package func closeness(
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
  ///   - vector: `dimensions` floats of any length.
  ///   - closeness: a buffer of one float per center.
  ///   - logits: one float per label.
  package func add(
    _ vector: UnsafePointer<Float>, _ kernels: KernelTable,
    closeness: UnsafeMutablePointer<Float>, to logits: UnsafeMutableBufferPointer<Float>
  ) {
    self.closeness(vector, kernels, into: closeness)
    for label in logits.indices {
      var vote: Float = 0
      weights.withUnsafeBufferPointer {
        kernels.dotRows(closeness, $0.baseAddress! + label * count, 1, count, &vote)
      }
      logits[label] += vote
    }
  }

  /// Reads the centers and votes of an adapter's file.
  ///
  /// - Throws: `badInput` if tensors do not match the format, or a number is not finite.
  init(_ file: Container, labels: Int, dimensions: Int) throws(VDSQError) {
    let name = RBFHead.Name.centers
    let rows = file.find(name)?.record.shape.first ?? 0
    guard rows > 0 else { throw .badInput("\(file.path): tensor \(name) is empty") }
    let view = try file.tensor(name, shape: [rows, dimensions])
    guard view.record.element == .float16 else {
      throw .badInput("\(file.path): tensor \(name) is \(view.record.element.name), not f16")
    }
    let stored = UnsafeRawBufferPointer(start: view.data, count: 2 * rows * dimensions)
    var centers: [UInt16] = []
    centers.reserveCapacity(rows * dimensions)
    for start in stride(from: 0, to: stored.count, by: 2) {
      let bits = UInt16(stored[start]) | UInt16(stored[start + 1]) << 8
      guard bits & 0x7C00 != 0x7C00 else {
        throw .badInput("\(file.path): tensor \(name) has a value that is not finite")
      }
      centers.append(bits)
    }
    let sharpness = Float(try file.metadata.number("sharpness"))
    guard sharpness > 0, sharpness.isFinite else {
      throw .badInput("\(file.path): metadata: sharpness is not above 0")
    }
    self.init(
      dimensions: dimensions, centers: centers,
      weights: try file.finiteFloats(RBFHead.Name.votes, shape: [labels, rows]),
      sharpness: sharpness)
  }
}
