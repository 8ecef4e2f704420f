package import VDSQFormat
package import VDSQKernels
package import VDSQSemantics

/// Kernel ridge regression of the labels on the model's vector with a radial basis function (RBF),
/// in closed form.
///
/// If there are many examples, some of them are centres (the Nystroem approximation, Williams and
/// Seeger 2001). All are used for training.
package struct KernelRidge {
  private typealias Constants = Hyperparameters.Ridge

  /// Only the model's vectors are used, not the intermediate features.
  package let set: TrainingSet
  package let kernels: KernelTable

  package init(set: TrainingSet, kernels: KernelTable) {
    self.set = set
    self.kernels = kernels
  }

  private var columns: Int { self.set.features.layout.blockSize }

  /// One head for each of the ridge penalties.
  ///
  /// - Parameter training: the indices of the training examples.
  /// - Throws: `internalFault` if states are not finite.
  package func train(_ training: [Int], penalties: [Float]) throws(VDSQError) -> [RBFVotes] {
    let labels = set.anchors.count
    let bare = centers(training)
    let count = bare.count
    // With RBF activations that are whitened by the kernel matrix of the centres, this is an
    // ordinary ridge regression.
    var own = [Float](repeating: 0, count: count * count)
    var row = [Float](repeating: 0, count: columns)
    for i in 0..<count {
      for j in 0..<columns { row[j] = halfToFloat(bare.centers[i * columns + j]) }
      own.withUnsafeMutableBufferPointer {
        bare.closeness(row, scale: 1, kernels, into: $0.baseAddress! + i * count)
        $0[i * count + i] += Constants.jitter
      }
    }
    let whitening = try Self.factor(own, count, kernels)
    var gram = [Float](repeating: 0, count: count * count)
    var sums = [Float](repeating: 0, count: labels * count)
    var shares = [Float](repeating: 0, count: labels)
    for example in training { shares[set.targets[example]] += 1 / Float(training.count) }
    var features = [Float](repeating: 0, count: count)
    var total = features
    for example in training {
      set.features.withRow(example) { bare.closeness($0, kernels, into: &features) }
      features.withUnsafeMutableBufferPointer { whitening.solveLower($0.baseAddress!) }
      gram.withUnsafeMutableBufferPointer {
        for i in 0..<count {
          kernels.addScaled(features[i], features, i + 1, $0.baseAddress! + i * count)
        }
      }
      sums.withUnsafeMutableBufferPointer {
        kernels.addScaled(
          1, features, count, $0.baseAddress! + set.targets[example] * count)
      }
      kernels.addScaled(1, features, count, &total)
    }
    var heads: [RBFVotes] = []
    for penalty in penalties {
      var shrunk = gram
      for i in 0..<count { shrunk[i * count + i] += penalty }
      let factor = try Self.factor(shrunk, count, kernels)
      var votes = sums
      votes.withUnsafeMutableBufferPointer {
        for label in 0..<labels {
          // Targets are 1 for the label and 0 for others, minus the share of the label.
          let row = $0.baseAddress! + label * count
          kernels.addScaled(-shares[label], total, count, row)
          factor.solve(row)
          whitening.solveUpper(row)
        }
      }
      heads.append(
        RBFVotes(
          dimensions: columns, centers: bare.centers, weights: votes, sharpness: Constants.sharpness
        ))
    }
    return heads
  }

  private static func factor(
    _ matrix: [Float], _ size: Int, _ kernels: KernelTable
  ) throws(VDSQError) -> CholeskyFactor {
    guard let factor = CholeskyFactor(matrix, size: size, kernels: kernels) else {
      throw VDSQError(.internalFault, "the examples' RBF matrix cannot be inverted")
    }
    return factor
  }

  /// Evenly spread examples as centres, without coefficients.
  private func centers(_ training: [Int]) -> RBFVotes {
    let count = min(training.count, Constants.mostCenters)
    var centers: [UInt16] = []
    centers.reserveCapacity(count * columns)
    for i in 0..<count {
      set.features.withRow(training[i * training.count / count]) { row in
        let norm = length(row, columns)
        let scale = norm > 0 ? 1 / norm : 0
        for j in 0..<columns { centers.append(Float16(row[j] * scale).bitPattern) }
      }
    }
    return RBFVotes(
      dimensions: columns, centers: centers, weights: [], sharpness: Constants.sharpness)
  }
}
