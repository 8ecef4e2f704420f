import Glibc
package import VDSQFormat

/// Vocabulary bases whose cosines say what the LM head says: rows of the head plus one common
/// vector (docs/vocabulary-semantics.md, "Balanced bases").
///
/// A softmax does not change if a vector is added to all rows of the head; cosines do. The common
/// vector makes the rows as equally long as one vector can, above all those of tokens that the
/// model predicts often, and makes the mean state's mean logit zero. Then the cosine of a state to
/// a row is nearly its logit divided by a constant.
package struct BalancedBases: Sendable {
  /// `[dimensions]`: the vector that is added to every row.
  package let common: [Double]
  /// `[vocabulary]`: the reciprocal lengths of the rows with the common vector.
  package let reciprocalNorms: [Float]
  /// The temperature at which probabilities of cosines are closest to those of the head.
  package let temperature: Double

  private typealias Matrix = BasesSolver.Matrix

  /// The ridge of the least squares, as a share of the mean variance of the head's columns. With 0,
  /// 0.1, 0.3, 1 and 3, the true next token of SmolLM2-135M is among the first ten for .517, .517,
  /// .513, .512 and .510 of 600 prefixes (the head: .520), and the common vector is 12.5, 8.6, 6.6,
  /// 4.4 and 2.7 long, where rows are 3.2 long. A short vector leaves the cosines wide apart, so
  /// that int8 resolves them.
  static let ridge = 1.0
  /// Half of the weight of a token is how probable the model finds it, half is the same for all.
  static let priorShare = 0.5
  /// Factors of the temperature that would undo the mean lengths of states and rows.
  private static let temperatureFactors = [0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.35, 1.5]
  private static let statesForPrior = 256
  private static let statesForTemperature = 64

  /// The number of passes over the rows, for progress.
  static let passes = 5

  /// - Parameter progress: called with the number of rows that a step has read.
  /// - Throws: `badInput` if the head's rows cannot be read or are all zero.
  package init(
    _ head: HeadMatrix, observation: ModelObservation, algebra: LinearAlgebra, tileRows: Int,
    progress: (Int) -> Void
  ) throws(VDSQError) {
    let d = head.columns
    let tiles = HeadTiles(head, rows: tileRows)
    let prior = try Self.prior(
      observation.sample(atMost: Self.statesForPrior), tiles, algebra, progress)
    let weights = prior.map {
      Self.priorShare * $0 + (1 - Self.priorShare) / Double(head.rows)
    }
    // Weighted moments: sum of w w^T, of w, of |w|^2, and of w |w|^2.
    let gram = Matrix(d * d)
    var mean = [Double](repeating: 0, count: d)
    var meanSquare = 0.0
    var third = mean
    try tiles.forEach(progress) { (first, rows, tile) throws(VDSQError) in
      for row in 0..<rows {
        let weight = weights[first + row], root = weight.squareRoot()
        let values = tile + row * d
        var square = 0.0
        for j in 0..<d { square += values[j] * values[j] }
        meanSquare += weight * square
        for j in 0..<d {
          mean[j] += weight * values[j]
          third[j] += weight * square * values[j]
          values[j] *= root
        }
      }
      algebra.addProduct(tile, n: d, k: rows, to: gram.start)
    }
    guard meanSquare > 0 else {
      throw .badInput("\(head.name): the vocabulary's rows are all zero")
    }
    var trace = 0.0
    for column in 0..<d {
      for row in column..<d { gram.start[column * d + row] -= mean[column] * mean[row] }
      trace += gram.start[column * d + column]
    }
    // Rows that are all alike have no variance, up to rounding.
    let ridge = max(Self.ridge * trace / Double(d), 1e-9 * meanSquare)
    for j in 0..<d { gram.start[j * d + j] += ridge }
    guard algebra.invert(gram.start, n: d) else {
      throw VDSQError(.internalFault, "\(head.name): the rows' covariance was not inverted")
    }
    func solve(_ right: [Double]) -> [Double] {
      (0..<d).map { row in
        (0..<d).reduce(0) { $0 + gram.start[row * d + $1] * right[$1] }
      }
    }
    // Least squares of |w|^2 + 2 w . a = constant, then along the direction that sets the mean
    // logit.
    let free = solve((0..<d).map { -0.5 * (third[$0] - mean[$0] * meanSquare) })
    let state = observation.mean
    let direction = solve(state)
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    let along = dot(state, direction)
    let excess = dot(state, free) + dot(state, mean)
    let common = along > 0 ? zip(free, direction).map { $0 - $1 * excess / along } : free
    self.common = common
    var norms: [Float] = []
    norms.reserveCapacity(head.rows)
    var meanLength = 0.0
    try tiles.forEach(progress) { (first, rows, tile) throws(VDSQError) in
      for row in 0..<rows {
        var square = 0.0
        for j in 0..<d {
          let value = tile[row * d + j] + common[j]
          square += value * value
        }
        norms.append(square > 0 ? Float(1 / square.squareRoot()) : 0)
        meanLength += weights[first + row] * square.squareRoot()
      }
    }
    reciprocalNorms = norms
    temperature = try Self.temperature(
      observation.sample(atMost: Self.statesForTemperature), common, norms, meanLength, tiles,
      algebra, progress)
  }

  /// Calls `body` with the products of states and rows, `[rows, states]`, without the head's bias.
  private static func forEachLogits(
    _ observation: ModelObservation, _ tiles: HeadTiles, _ algebra: LinearAlgebra,
    _ progress: (Int) -> Void,
    _ body: (_ first: Int, _ rows: Int, _ logits: UnsafeMutablePointer<Double>) -> Void
  ) throws(VDSQError) {
    let count = observation.count
    let logits = Matrix(tiles.rows * count)
    try tiles.forEach(progress) { (first, rows, tile) throws(VDSQError) in
      algebra.multiply(
        observation.states, tile, m: count, n: rows, k: observation.dimensions,
        transposedLeft: true, into: logits.start)
      body(first, rows, logits.start)
    }
  }

  /// The mean probability of each token over the states.
  private static func prior(
    _ observation: ModelObservation, _ tiles: HeadTiles, _ algebra: LinearAlgebra,
    _ progress: (Int) -> Void
  ) throws(VDSQError) -> [Double] {
    let count = observation.count
    var sums = [LogSum](repeating: LogSum(), count: count)
    try forEachLogits(observation, tiles, algebra, progress) { first, rows, logits in
      for row in 0..<rows {
        for i in 0..<count {
          sums[i].add(observation.logit(logits[row * count + i], token: first + row))
        }
      }
    }
    var prior = [Double](repeating: 0, count: tiles.head.rows)
    let totals = sums.map(\.value)
    try forEachLogits(observation, tiles, algebra, progress) { first, rows, logits in
      for row in 0..<rows {
        var sum = 0.0
        for i in 0..<count {
          sum += exp(observation.logit(logits[row * count + i], token: first + row) - totals[i])
        }
        prior[first + row] = sum / Double(count)
      }
    }
    return prior
  }

  /// The temperature that minimises the divergence of `softmax(cosines / T)` from the head's
  /// probabilities.
  private static func temperature(
    _ observation: ModelObservation, _ common: [Double], _ norms: [Float], _ meanLength: Double,
    _ tiles: HeadTiles, _ algebra: LinearAlgebra, _ progress: (Int) -> Void
  ) throws(VDSQError) -> Double {
    let count = observation.count, d = observation.dimensions
    var lengths = [Double](repeating: 0, count: count)
    var shifts = lengths
    for i in 0..<count {
      for j in 0..<d {
        let value = observation.states[i * d + j]
        lengths[i] += value * value
        shifts[i] += value * common[j]
      }
      lengths[i] = lengths[i].squareRoot()
    }
    let meanState = lengths.reduce(0, +) / Double(count)
    guard meanState > 0, meanLength > 0 else { return 1 }
    let usual = 1 / (meanState * meanLength)
    let temperatures = temperatureFactors.map { $0 * usual }
    var heads = [LogSum](repeating: LogSum(), count: count)
    var sums = [LogSum](repeating: LogSum(), count: count * temperatures.count)
    // The mean cosine under the head's probabilities, relative to the largest logit so far.
    var expected = [Double](repeating: 0, count: count)
    try forEachLogits(observation, tiles, algebra, progress) { first, rows, logits in
      for row in 0..<rows {
        let norm = Double(norms[first + row])
        for i in 0..<count where lengths[i] > 0 {
          let product = logits[row * count + i]
          let cosine = (product + shifts[i]) * norm / lengths[i]
          let logit = observation.logit(product, token: first + row)
          let shrink = heads[i].add(logit)
          expected[i] = expected[i] * shrink + cosine * exp(logit - heads[i].largest)
          for (t, temperature) in temperatures.enumerated() {
            sums[i * temperatures.count + t].add(cosine / temperature)
          }
        }
      }
    }
    let losses = temperatures.indices.map { t in
      (0..<count).reduce(0.0) { sum, i in
        guard lengths[i] > 0 else { return sum }
        return sum + sums[i * temperatures.count + t].value
          - expected[i] / heads[i].total / temperatures[t]
      }
    }
    return temperatures[losses.indices.min { losses[$0] < losses[$1] }!]
  }

  /// The logarithm of a sum of exponentials, relative to the largest exponent so far.
  private struct LogSum {
    var largest = -Double.infinity
    var total = 0.0

    var value: Double { largest + log(total) }

    /// - Returns: the factor by which earlier terms shrink.
    @discardableResult
    mutating func add(_ exponent: Double) -> Double {
      guard exponent > largest else {
        total += exp(exponent - largest)
        return 1
      }
      let shrink = exp(largest - exponent)
      total = total * shrink + 1
      largest = exponent
      return shrink
    }
  }
}
