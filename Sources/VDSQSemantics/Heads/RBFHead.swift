import CShims
import VDSQFormat
import VDSQKernels

/// Linear logits plus votes of stored examples. Each example votes with its closeness to the state,
/// `exp(sharpness (cosine - 1))`: a Gaussian radial basis function (RBF) of unit vectors.
package struct RBFHead: Sendable {
  /// The linear logits.
  package let linear: LinearHead
  /// The votes that are added to them.
  package let votes: RBFVotes

  /// The names of its tensors in an adapter's file.
  enum Name {
    static let centers = "kernel.centers"
    static let votes = "kernel.votes"
  }

  /// - Parameters:
  ///   - linear: the linear logits.
  ///   - votes: the votes that are added to them.
  package init(linear: LinearHead, votes: RBFVotes) {
    self.linear = linear
    self.votes = votes
  }

  var scratchCount: Int { votes.count }

  var bytes: Int { linear.bytes + 2 * votes.centers.count + 4 * votes.weights.count }

  func logits(
    _ state: UnsafePointer<Float>, _ kernels: KernelTable, scratch: UnsafeMutablePointer<Float>,
    into logits: UnsafeMutableBufferPointer<Float>
  ) {
    linear.logits(state, kernels, into: logits.baseAddress!)
    votes.add(state, kernels, closeness: scratch, to: logits)
  }

  /// The linear difference, plus the gradient of each center's vote.
  func direction(
    _ label: Int, _ other: Int, at state: [Float], columns: Int, dimensions: Int,
    kernels: KernelTable
  ) -> [Float] {
    var direction = linear.direction(label, other, columns: columns, dimensions: dimensions)
    var closeness = [Float](repeating: 0, count: votes.count)
    votes.closeness(state, kernels, into: &closeness)
    for i in closeness.indices {
      let difference =
        votes.weights[label * votes.count + i] - votes.weights[other * votes.count + i]
      let pull = votes.sharpness * closeness[i] * difference
      for j in 0..<columns {
        direction[j] += pull * halfToFloat(votes.centers[i * columns + j])
      }
    }
    return direction
  }

  init(
    _ file: Container, labels: Int, dimensions: Int, columns: Int
  ) throws(VDSQError) {
    linear = try LinearHead(file, labels: labels, dimensions: dimensions)
    votes = try RBFVotes(file, labels: labels, dimensions: columns)
  }

  func store(in contents: inout AdapterContents) {
    contents.metadata.set("sharpness", .number(Double(votes.sharpness)))
    linear.store(in: &contents)
    contents.add(
      Name.votes, .float32(votes.weights),
      shape: [linear.bias.count, votes.count])
    contents.add(Name.centers, .float16(votes.centers), shape: [votes.count, votes.dimensions])
  }
}
