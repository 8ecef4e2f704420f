import VDSQFormat
import VDSQKernels
import VDSQSemantics

/// Kernel ridge regression of labels, in closed form: examples vote where a text is close to them.
///
/// Of many examples some are centers (the Nyström approximation, Williams and Seeger 2001), and all are learned from.
struct KernelRidge {
  private static let sharpness: Float = 2
  /// Added to the centers' own kernel, so that close ones do not make it singular.
  private static let jitter: Float = 1e-3
  /// How strongly votes are held back, strong first.
  static let ridges: [Float] = [1, 0.3, 0.1]

  let task: LabelPrior.Task
  /// Numbers of a state that are the model's vector; votes are by these alone.
  let columns: Int
  let kernels: KernelTable

  /// One head for each of the ridges.
  ///
  /// - Parameter training: those of the task's examples that are learned from.
  /// - Throws: `internalFault` where states are not finite.
  func train(_ training: [Int], ridges: [Float]) throws(VDSQError) -> [RBFVotes] {
    let labels = task.labels.count
    let bare = centers(training)
    let count = bare.count
    // Closeness to the centers, whitened by their own, makes an ordinary ridge regression of it.
    var own = [Float](repeating: 0, count: count * count)
    var row = [Float](repeating: 0, count: columns)
    for i in 0..<count {
      for j in 0..<columns { row[j] = halfToFloat(bare.centers[i * columns + j]) }
      own.withUnsafeMutableBufferPointer {
        bare.closeness(row, scale: 1, kernels, into: $0.baseAddress! + i * count)
        $0[i * count + i] += Self.jitter
      }
    }
    let whitening = try Self.system(own, count, kernels)
    var gram = [Float](repeating: 0, count: count * count)
    var sums = [Float](repeating: 0, count: labels * count)
    var shares = [Float](repeating: 0, count: labels)
    for example in training { shares[task.targets[example]] += 1 / Float(training.count) }
    var features = [Float](repeating: 0, count: count)
    var total = features
    for example in training {
      task.states.withUnsafeBufferPointer { states in
        bare.closeness(
          states.baseAddress! + example * task.labels.dimensions, kernels, into: &features)
      }
      features.withUnsafeMutableBufferPointer { whitening.solveLower($0.baseAddress!) }
      gram.withUnsafeMutableBufferPointer {
        for i in 0..<count {
          kernels.addScaled(features[i], features, i + 1, $0.baseAddress! + i * count)
        }
      }
      sums.withUnsafeMutableBufferPointer {
        kernels.addScaled(
          1, features, count, $0.baseAddress! + task.targets[example] * count)
      }
      kernels.addScaled(1, features, count, &total)
    }
    var heads: [RBFVotes] = []
    for ridge in ridges {
      var shrunk = gram
      for i in 0..<count { shrunk[i * count + i] += ridge }
      let system = try Self.system(shrunk, count, kernels)
      var votes = sums
      votes.withUnsafeMutableBufferPointer {
        for label in 0..<labels {
          // Of targets 1 for the label and 0 for others, less the label's share of them.
          let row = $0.baseAddress! + label * count
          kernels.addScaled(-shares[label], total, count, row)
          system.solve(row)
          whitening.solveUpper(row)
        }
      }
      heads.append(
        RBFVotes(
          dimensions: columns, centers: bare.centers, weights: votes, sharpness: Self.sharpness))
    }
    return heads
  }

  private static func system(
    _ matrix: [Float], _ size: Int, _ kernels: KernelTable
  ) throws(VDSQError) -> SymmetricSystem {
    guard let system = SymmetricSystem(matrix, size: size, kernels: kernels) else {
      throw VDSQError(.internalFault, "the examples' kernel cannot be inverted")
    }
    return system
  }

  /// Examples spread over all of them, without votes.
  private func centers(_ training: [Int]) -> RBFVotes {
    let count = min(training.count, LabelPrior.mostCenters)
    var centers: [UInt16] = []
    centers.reserveCapacity(count * columns)
    for i in 0..<count {
      let start = training[i * training.count / count] * task.labels.dimensions
      let norm = task.states.withUnsafeBufferPointer { length($0.baseAddress! + start, columns) }
      let scale = norm > 0 ? 1 / norm : 0
      for j in start..<start + columns {
        centers.append(Float16(task.states[j] * scale).bitPattern)
      }
    }
    return RBFVotes(
      dimensions: columns, centers: centers, weights: [], sharpness: Self.sharpness)
  }
}
