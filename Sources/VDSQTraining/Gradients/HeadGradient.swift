import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics
import Glibc

/// The gradient of the LM head's cross-entropy with respect to the states that it reads.
///
/// Rows of the head pass by once, a block at a time: exponentials are summed relative to the
/// largest logit so far, so no array of the vocabulary's length is needed.
final class HeadGradient {
  private let rows: VocabularyRows
  private let kernels: KernelTable
  private let arithmetic: MatrixArithmetic
  private let block, logits: Floats
  private let right, back: PackedMatrix
  private let largest, totals: Floats
  private var scratch: [UInt8]

  private static let blockRows = PackedMatrix.blockLength

  static func bytes(_ c: Architecture, tokens: Int) -> Int {
    4 * (3 * blockRows * c.hiddenSize + tokens * (blockRows + 2))
  }

  init(
    _ container: Container, kernels: KernelTable, arithmetic: MatrixArithmetic, tokens: Int
  ) throws(VDSQError) {
    rows = try VocabularyRows(head: container)
    self.kernels = kernels
    self.arithmetic = arithmetic
    let d = rows.dimensions
    block = Floats(Self.blockRows * d)
    logits = Floats(Self.blockRows * tokens)
    right = PackedMatrix(rows: Self.blockRows, columns: d)
    back = PackedMatrix(rows: d, columns: Self.blockRows)
    largest = Floats(tokens)
    totals = Floats(tokens)
    scratch = [UInt8](repeating: 0, count: max(1, rows.scratchBytes))
  }

  /// - Parameters:
  ///   - x: `[tokens, hiddenSize]`, as the head reads them.
  ///   - g: receives `weight_t (sum_v p_v w_v - w_target)`, `[tokens, hiddenSize]`.
  func gradient(
    _ x: UnsafePointer<Float>, tokens: Int, targets: [Int32], weights: [Float],
    into g: UnsafeMutablePointer<Float>
  ) {
    let d = rows.dimensions
    for i in 0..<tokens * d { g[i] = 0 }
    for t in 0..<tokens {
      largest.p[t] = -.infinity
      totals.p[t] = 0
    }
    for first in stride(from: 0, to: rows.count, by: Self.blockRows) {
      let count = min(Self.blockRows, rows.count - first)
      for i in 0..<count { rows.headRow(first + i, kernels, &scratch, into: block.p + i * d) }
      right.reshape(rows: count, columns: d)
      back.reshape(rows: d, columns: count)
      arithmetic.together(multiplications: 2 * tokens * count * d) { worker in
        right.pack(block.p, stride: d, worker.share(of: right.panels))
        back.pack(transposed: block.p, stride: d, worker.share(of: back.panels))
        worker.barrier()
        let own = worker.share(of: tokens, unit: 8)
        guard !own.isEmpty else { return }
        arithmetic.multiply(
          x, xStride: d, rows: own, right, panels: 0..<right.panels, .replace, logits.p,
          yStride: count)
        for t in own { exponentials(t, first, count, g + t * d) }
        arithmetic.multiply(
          logits.p, xStride: count, rows: own, back, panels: 0..<back.panels, .add, g, yStride: d)
      }
    }
    var row = [Float](repeating: 0, count: d)
    for t in 0..<tokens {
      let scale = weights[t] / totals.p[t]
      for i in 0..<d { g[t * d + i] *= scale }
      rows.headRow(Int(targets[t]), kernels, &scratch, into: &row)
      for i in 0..<d { g[t * d + i] -= weights[t] * row[i] }
    }
  }

  /// Replaces the logits of a block by exponentials, and rescales what was summed before.
  private func exponentials(
    _ t: Int, _ first: Int, _ count: Int, _ g: UnsafeMutablePointer<Float>
  ) {
    let own = logits.p + t * count
    var most = largest.p[t]
    for i in 0..<count {
      own[i] += rows.bias?[first + i] ?? 0
      most = max(most, own[i])
    }
    if most > largest.p[t] {
      let shrink = totals.p[t] > 0 ? expf(largest.p[t] - most) : 0
      totals.p[t] *= shrink
      for i in 0..<rows.dimensions { g[i] *= shrink }
      largest.p[t] = most
    }
    var sum: Float = 0
    for i in 0..<count {
      own[i] = expf(own[i] - most)
      sum += own[i]
    }
    totals.p[t] += sum
  }
}
