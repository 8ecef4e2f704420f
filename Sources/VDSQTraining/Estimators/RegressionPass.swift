import VDSQInference
import VDSQSemantics

/// The sum of the losses of logistic regression over its examples, and the gradient, in blocks of
/// examples: products of the block with the weights, and of the errors with the block.
///
/// The examples are divided into shards, whose number does not depend on the threads. A thread
/// computes whole shards, and their sums are added in order.
final class RegressionPass {
  private static let shardCount = 4

  /// The sums of a shard.
  private struct Shard {
    /// `[labels, columns]`, then `[labels]`.
    let gradient: Floats
    var loss = 0.0
  }

  /// What a thread needs for a block of examples.
  private struct Scratch {
    /// `[block, columns]`, and the same arranged for products with errors.
    let states: Floats
    let packed: PackedMatrix
    /// `[block, labels]`: logits, then probabilities, then errors; and `[labels, block]`.
    let errors, transposed: Floats
  }

  private let regression: LogisticRegression
  private let weights: PackedMatrix
  private var shards: [Shard]
  private let scratch: [Scratch]

  init(_ regression: LogisticRegression) {
    self.regression = regression
    let d = regression.features.columns, labels = regression.labels
    weights = PackedMatrix(rows: labels, columns: d)
    shards = (0..<Self.shardCount).map { _ in Shard(gradient: Floats(labels * (d + 1))) }
    let shard = (regression.members.count + Self.shardCount - 1) / Self.shardCount
    let block = min(shard, PackedMatrix.blockLength)
    scratch = (0..<min(regression.arithmetic.width, Self.shardCount)).map { _ in
      Scratch(
        states: Floats(block * d), packed: PackedMatrix(rows: d, columns: block),
        errors: Floats(block * labels), transposed: Floats(block * labels))
    }
  }

  /// Computes the loss and the gradient of all shards.
  ///
  /// - Parameter point: weights `[labels, columns]`, then biases.
  /// - Returns: the sum of losses times the strength.
  func run(_ point: [Float]) -> Double {
    let labels = regression.labels, d = regression.features.columns
    let count = regression.members.count
    point.withUnsafeBufferPointer { point in
      let point = point.baseAddress!
      shards.withUnsafeMutableBufferPointer { shards in
        nonisolated(unsafe) let shards = shards
        regression.arithmetic.together(multiplications: 2 * count * labels * d) { worker in
          weights.pack(point, stride: d, worker.share(of: weights.panels))
          worker.barrier()
          // A worker without scratch has no shard.
          let workers = min(worker.count, Self.shardCount)
          for i in worker.share(of: Self.shardCount, among: workers) {
            let gradient = shards[i].gradient
            gradient.p.update(repeating: 0, count: gradient.count)
            shards[i].loss = 0
            let end = count * (i + 1) / Self.shardCount
            for first in stride(
              from: count * i / Self.shardCount, to: end, by: PackedMatrix.blockLength)
            {
              shards[i].loss += add(
                regression.members[first..<min(first + PackedMatrix.blockLength, end)],
                bias: point + labels * d, to: gradient.p, scratch[worker.index])
            }
          }
        }
      }
    }
    return shards.reduce(0) { $0 + $1.loss }
  }

  /// Adds the gradient of all shards.
  func addGradient(to sum: inout [Float]) {
    for shard in shards {
      regression.arithmetic.kernels.addScaled(1, shard.gradient.p, sum.count, &sum)
    }
  }

  /// Adds the gradient of a block of examples, and returns their loss.
  private func add(
    _ members: ArraySlice<Int>, bias: UnsafePointer<Float>,
    to gradient: UnsafeMutablePointer<Float>,
    _ scratch: Scratch
  ) -> Double {
    let labels = regression.labels, d = regression.features.columns, count = members.count
    let arithmetic = regression.arithmetic, strength = regression.strength
    let errors = scratch.errors.p
    regression.features.copy(members, into: scratch.states.p)
    arithmetic.multiply(
      scratch.states.p, xStride: d, rows: 0..<count, weights, panels: 0..<weights.panels, .replace,
      errors, yStride: labels)
    for (i, member) in members.enumerated() {
      let row = errors + i * labels
      for label in 0..<labels { row[label] += bias[label] }
      if let offsets = regression.offsets {
        for label in 0..<labels { row[label] += offsets[member * labels + label] }
      }
    }
    arithmetic.kernels.softmax(errors, labels, count, labels, 1)
    var loss = 0.0
    let biasGradient = gradient + labels * d
    for (i, member) in members.enumerated() {
      let row = errors + i * labels, target = regression.targets[member]
      loss -= Double(strength * LogLikelihood.of(row[target]))
      row[target] -= 1
      for label in 0..<labels {
        row[label] *= strength
        biasGradient[label] += row[label]
      }
    }
    MatrixArithmetic.transpose(
      errors, rows: count, columns: labels, 0..<labels, into: scratch.transposed.p)
    scratch.packed.reshape(rows: d, columns: count)
    scratch.packed.pack(
      transposed: scratch.states.p, stride: d, 0..<scratch.packed.panels)
    arithmetic.multiply(
      scratch.transposed.p, xStride: count, rows: 0..<labels, scratch.packed,
      panels: 0..<scratch.packed.panels, .add, gradient, yStride: d)
    return loss
  }
}
