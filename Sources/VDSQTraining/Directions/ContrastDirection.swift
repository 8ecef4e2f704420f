import Glibc
import VDSQInference

/// The direction from the states of one set of texts to those of another, at one layer
/// (docs/directions.md).
package struct ContrastDirection {
  /// How a direction is found.
  package enum Method: String, Sendable, CaseIterable {
    /// `mean`: the difference of both means. `lda`: the discriminant of Gaussian classes with a
    /// common covariance.
    case mean, lda
  }

  /// Each text's set: whether it is what the direction leads to.
  private let isPositive: [Bool]
  private let states: FeatureMatrix
  private let arithmetic: MatrixArithmetic
  private let method: Method

  /// The number of texts that a spherical covariance counts for.
  private static let shrinkageCount: Float = 512
  private static let folds = 4

  package init(
    _ states: FeatureMatrix, isPositive: [Bool], method: Method, arithmetic: MatrixArithmetic
  ) {
    self.states = states
    self.isPositive = isPositive
    self.arithmetic = arithmetic
    self.method = method
  }

  /// The direction, of length 1; zeros if both means are the same.
  package func vector() -> [Float] { vector(Array(isPositive.indices)) }

  private func vector(_ members: [Int]) -> [Float] {
    let d = states.columns
    let means = [true, false].map { side in mean(members.filter { isPositive[$0] == side }) }
    var vector = (0..<d).map { means[0][$0] - means[1][$0] }
    if method == .lda, let solved = discriminant(vector, means, members) { vector = solved }
    return Self.unit(vector)
  }

  /// `C^-1 (mu+ - mu-)`; nil if the covariance cannot be factored, because states do not vary.
  private func discriminant(
    _ difference: [Float], _ means: [[Float]], _ members: [Int]
  ) -> [Float]? {
    let d = states.columns, n = Float(members.count)
    let scatter = Floats(d * d)
    for first in stride(from: 0, to: members.count, by: PackedMatrix.blockLength) {
      let block = Array(members[first..<min(first + PackedMatrix.blockLength, members.count)])
      var rows = states.gathered(block)
      for (i, member) in block.enumerated() {
        let mean = means[isPositive[member] ? 0 : 1]
        for j in 0..<d { rows[i * d + j] -= mean[j] }
      }
      arithmetic.addProducts(of: rows, rows: block.count, columns: d, to: scatter.p)
    }
    var covariance = withExtendedLifetime(scatter) {
      Array(UnsafeBufferPointer(start: scatter.p, count: d * d))
    }
    let variance = (0..<d).reduce(Float(0)) { $0 + covariance[$1 * d + $1] } / n / Float(d)
    let shrinkage = Self.shrinkageCount / (Self.shrinkageCount + n)
    for i in covariance.indices { covariance[i] *= (1 - shrinkage) / n }
    for i in 0..<d { covariance[i * d + i] += shrinkage * variance }
    guard variance > 0, let factor = CholeskyFactor(covariance, size: d, arithmetic: arithmetic)
    else { return nil }
    var solved = difference
    solved.withUnsafeMutableBufferPointer { factor.solve($0.baseAddress!) }
    return solved
  }

  private func mean(_ members: [Int]) -> [Float] {
    var sums = [Double](repeating: 0, count: states.columns)
    for member in members {
      states.withRow(member) { for j in sums.indices { sums[j] += Double($0[j]) } }
    }
    return sums.map { Float($0 / Double(max(1, members.count))) }
  }

  static func unit(_ vector: [Float]) -> [Float] {
    let norm = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return norm > 0 ? vector.map { Float(Double($0) / norm) } : vector
  }

  /// The probability that a held-out text of the positive set lies further along the direction than
  /// one of the other set (the area under the ROC curve): the mean over four folds. The i-th texts
  /// of both sets are in the same fold, because they may be a pair. Nil if a set has fewer texts
  /// than there are folds.
  package func heldOutAUC() -> Double? {
    var places = [0, 0]
    let fold = isPositive.map { side in
      places[side ? 0 : 1] += 1
      return (places[side ? 0 : 1] - 1) % Self.folds
    }
    guard places.allSatisfy({ $0 >= Self.folds }) else { return nil }
    let areas = (0..<Self.folds).map { held in
      let vector = vector(fold.indices.filter { fold[$0] != held })
      let own = fold.indices.filter { fold[$0] == held }
      return Self.auc(own.map { (score($0, vector), isPositive[$0]) })
    }
    return areas.reduce(0, +) / Double(areas.count)
  }

  private func score(_ text: Int, _ vector: [Float]) -> Float {
    var score: Float = 0
    states.withRow(text) { arithmetic.kernels.dotRows($0, vector, 1, states.columns, &score) }
    return score
  }

  /// The area under the ROC curve, with half of ties.
  static func auc(_ scores: [(score: Float, isPositive: Bool)]) -> Double {
    let sorted = scores.sorted { $0.score < $1.score }
    var sum = 0.0
    var start = 0
    while start < sorted.count {
      var end = start
      while end < sorted.count, sorted[end].score == sorted[start].score { end += 1 }
      // The mean rank of equal scores.
      let rank = Double(start + end + 1) / 2
      sum += rank * Double(sorted[start..<end].count { $0.isPositive })
      start = end
    }
    let positive = Double(scores.count { $0.isPositive }),
      negative = Double(scores.count) - positive
    return (sum - positive * (positive + 1) / 2) / max(1, positive * negative)
  }
}
