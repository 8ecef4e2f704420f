package import VDSQFormat
import VDSQKernels
package import VDSQSemantics

/// Kernel ridge regression of the labels on the model's vector with a radial basis function (RBF),
/// in closed form.
///
/// If there are many examples, some of them are centres (the Nystroem approximation, Williams and
/// Seeger 2001). All are used for training.
package struct KernelRidge {
  private typealias Constants = Hyperparameters.Ridge

  /// Only the model's vectors are used, not the intermediate features.
  private let vectors: FeatureMatrix
  private let targets: [Int]
  private let labels: Int
  private let arithmetic: MatrixArithmetic

  package init(set: TrainingSet, arithmetic: MatrixArithmetic) {
    vectors = set.features.prefix(features: 0)
    targets = set.targets
    labels = set.anchors.count
    self.arithmetic = arithmetic
  }

  /// One head for each of the ridge penalties.
  ///
  /// - Parameter training: the indices of the training examples.
  /// - Throws: `internalFault` if states are not finite.
  package func train(_ training: [Int], penalties: [Float]) throws(VDSQError) -> [RBFVotes] {
    let kernels = arithmetic.kernels
    let centers = centers(training)
    let count = centers.count
    // With RBF activations that are whitened by the kernel matrix of the centres, this is an
    // ordinary ridge regression.
    let whitening = try factor(own(centers), count)
    var gram = [Float](repeating: 0, count: count * count)
    var sums = [Float](repeating: 0, count: labels * count)
    var shares = [Float](repeating: 0, count: labels)
    for example in training { shares[targets[example]] += 1 / Float(training.count) }
    var total = [Float](repeating: 0, count: count)
    let activations = RBFActivations(centers, arithmetic)
    for first in stride(from: 0, to: training.count, by: PackedMatrix.blockLength) {
      let part = training[first..<min(first + PackedMatrix.blockLength, training.count)]
      var features = activations.of(vectors, part)
      features.withUnsafeMutableBufferPointer { features in
        let features = features.baseAddress!
        whitening.solveLower(features, count: part.count)
        gram.withUnsafeMutableBufferPointer {
          arithmetic.addProducts(
            of: features, rows: part.count, columns: count, to: $0.baseAddress!)
        }
        sums.withUnsafeMutableBufferPointer {
          for (i, example) in part.enumerated() {
            kernels.addScaled(
              1, features + i * count, count, $0.baseAddress! + targets[example] * count)
            kernels.addScaled(1, features + i * count, count, &total)
          }
        }
      }
    }
    // Targets are 1 for the label and 0 for others, minus the share of the label.
    sums.withUnsafeMutableBufferPointer {
      for label in 0..<labels {
        kernels.addScaled(-shares[label], total, count, $0.baseAddress! + label * count)
      }
    }
    var heads: [RBFVotes] = []
    for penalty in penalties {
      var shrunk = gram
      for i in 0..<count { shrunk[i * count + i] += penalty }
      let factor = try factor(shrunk, count)
      var votes = sums
      votes.withUnsafeMutableBufferPointer {
        factor.solve($0.baseAddress!, count: labels)
        whitening.solveUpper($0.baseAddress!, count: labels)
      }
      heads.append(
        RBFVotes(
          dimensions: centers.dimensions, centers: centers.centers, weights: votes,
          sharpness: Constants.sharpness))
    }
    return heads
  }

  /// The votes of heads with the same centres for some examples: `[heads][examples, labels]`.
  package func votes(of heads: [RBFVotes], for examples: [Int]) -> [[Float]] {
    let activations = RBFActivations(heads[0], arithmetic).of(vectors, examples)
    return heads.map { head in
      LinearHead(weights: head.weights, bias: [Float](repeating: 0, count: labels))
        .logits(activations, arithmetic)
    }
  }

  /// The kernel matrix of the centres, whose lengths are rounded like those of the centres.
  private func own(_ centers: RBFVotes) -> [Float] {
    let rows = centers.centers.map { halfToFloat($0) }
    var own = RBFActivations(centers, arithmetic).of(rows, scales: nil)
    for i in 0..<centers.count { own[i * centers.count + i] += Constants.jitter }
    return own
  }

  private func factor(_ matrix: consuming [Float], _ size: Int) throws(VDSQError) -> CholeskyFactor
  {
    guard let factor = CholeskyFactor(matrix, size: size, arithmetic: arithmetic) else {
      throw VDSQError(.internalFault, "the examples' RBF matrix cannot be inverted")
    }
    return factor
  }

  /// Evenly spread examples as centres, without coefficients.
  private func centers(_ training: [Int]) -> RBFVotes {
    let count = min(training.count, Constants.mostCenters), columns = vectors.columns
    var centers: [UInt16] = []
    centers.reserveCapacity(count * columns)
    for i in 0..<count {
      vectors.withRow(training[i * training.count / count]) { row in
        let norm = length(row, columns)
        let scale = norm > 0 ? 1 / norm : 0
        for j in 0..<columns { centers.append(Float16(row[j] * scale).bitPattern) }
      }
    }
    return RBFVotes(
      dimensions: columns, centers: centers, weights: [], sharpness: Constants.sharpness)
  }
}
