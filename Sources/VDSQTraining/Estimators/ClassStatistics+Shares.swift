import VDSQSemantics

extension ClassStatistics {
  /// The statistics of states from which a vector has been subtracted.
  package func moved(by vector: [Float]) -> ClassStatistics {
    ClassStatistics(
      counts: counts,
      sums: sums.enumerated().map { i, sum in
        sum - counts[i / dimensions] * vector[i % dimensions]
      }, scatter: scatter, dimensions: dimensions)
  }

  /// The statistics with further rows, each of which is an example of every label by a share.
  ///
  /// - Parameters:
  ///   - rows: `[rows, dimensions]`.
  ///   - shares: `[rows, labels]`.
  ///   - weight: the number of examples that a row counts for.
  ///   - products: `rows^T rows`, the lower triangle of `[dimensions, dimensions]`.
  package func adding(
    _ rows: [Float], shares: [Float], weight: Float, products: [Float],
    _ arithmetic: MatrixArithmetic
  ) -> ClassStatistics {
    let d = dimensions, labels = counts.count
    var shareOf = [Float](repeating: 0, count: labels)
    var added = [Float](repeating: 0, count: labels * d)
    added.withUnsafeMutableBufferPointer { added in
      rows.withUnsafeBufferPointer { rows in
        for row in 0..<rows.count / d {
          for label in 0..<labels {
            let share = shares[row * labels + label] * weight
            shareOf[label] += share
            arithmetic.kernels.addScaled(
              share, rows.baseAddress! + row * d, d, added.baseAddress! + label * d)
          }
        }
      }
    }
    let allCounts = zip(counts, shareOf).map { $0 + $1 }
    let allSums = zip(sums, added).map { $0 + $1 }
    // Deviations of the means of examples, and of shares, from the means of both.
    var between: [Float] = [], own: [Float] = []
    for label in 0..<labels {
      for (count, sums) in [(counts[label], sums), (shareOf[label], added)] where count > 0 {
        for j in label * d..<(label + 1) * d {
          between.append((sums[j] / count - allSums[j] / allCounts[label]) * count.squareRoot())
        }
      }
      let root = max(shareOf[label], .leastNormalMagnitude).squareRoot()
      for j in label * d..<(label + 1) * d { own.append(added[j] / root) }
    }
    var all = zip(scatter, products).map { $0 + weight * $1 }
    all.withUnsafeMutableBufferPointer {
      let sums = $0.baseAddress!
      arithmetic.addProducts(of: between, rows: between.count / d, columns: d, to: sums)
      arithmetic.addProducts(of: own, rows: labels, columns: d, .subtract, to: sums)
    }
    return ClassStatistics(
      counts: allCounts, sums: allSums, scatter: all, dimensions: d)
  }
}
