import CShims
import VDSQKernels
import VDSQSemantics

/// The closeness of many vectors to the centres of a kernel ridge regression, by products of
/// matrices. `RBFVotes.closeness` is the same for one vector.
struct RBFActivations {
  private let centers: PackedMatrix
  private let sharpness: Float
  private let arithmetic: MatrixArithmetic

  init(_ votes: RBFVotes, _ arithmetic: MatrixArithmetic) {
    var rows = [Float](repeating: 0, count: votes.centers.count)
    votes.centers.withUnsafeBytes {
      arithmetic.kernels.dequantizeHalf($0.baseAddress!, votes.centers.count, &rows)
    }
    centers = arithmetic.packed(rows, rows: votes.count, columns: votes.dimensions)
    sharpness = votes.sharpness
    self.arithmetic = arithmetic
  }

  /// `[examples, centres]`.
  func of(_ vectors: FeatureMatrix, _ examples: some Collection<Int>) -> [Float] {
    let rows = vectors.gathered(examples), d = vectors.columns
    let scales = rows.withUnsafeBufferPointer { rows in
      (0..<examples.count).map { i -> Float in
        let norm = length(rows.baseAddress! + i * d, d)
        return norm > 0 ? 1 / norm : 0
      }
    }
    return of(rows, scales: scales)
  }

  /// - Parameter scales: the factors of the cosines of each row; nil for 1.
  func of(_ rows: [Float], scales: [Float]?) -> [Float] {
    let count = rows.count / centers.columns, width = centers.rows
    var closeness = [Float](repeating: 0, count: count * width)
    closeness.withUnsafeMutableBufferPointer { closeness in
      guard let base = closeness.baseAddress else { return }
      arithmetic.multiply(rows, rows: count, centers, base)
      arithmetic.together(multiplications: 16 * count * width) { worker in
        for i in worker.share(of: count) {
          let row = base + i * width, scale = scales?[i] ?? 1
          for j in 0..<width { row[j] = vdsq_expf(sharpness * (row[j] * scale - 1)) }
        }
      }
    }
    return closeness
  }
}
