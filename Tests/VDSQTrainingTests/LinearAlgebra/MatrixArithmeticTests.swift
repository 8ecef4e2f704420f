import TestSupport
import Testing
import VDSQInference
import VDSQKernels

import VDSQTraining

/// Products against sums in double precision.
@Suite struct MatrixArithmeticTests {
  private let kernels = KernelTable.available()[0]

  private func product(_ x: [Float], _ w: [Float], _ rows: Int, _ outputs: Int) -> [Float] {
    let columns = x.count / rows
    return (0..<rows * outputs).map { at in
      Float(
        (0..<columns).reduce(0.0) {
          $0 + Double(x[at / outputs * columns + $1]) * Double(w[at % outputs * columns + $1])
        })
    }
  }

  /// Sizes below, at and above a tile, a panel and a block of columns.
  @Test(arguments: [(1, 1, 1), (3, 5, 17), (64, 16, 256), (65, 130, 257), (70, 33, 600)])
  func products(_ rows: Int, _ outputs: Int, _ columns: Int) {
    var random = Random(1)
    let x = random.floats(rows * columns), w = random.floats(outputs * columns)
    let expected = product(x, w, rows, outputs)
    for threads in [1, 3] {
      let arithmetic = MatrixArithmetic(kernels: kernels, threads: ThreadPool(count: threads))
      let packed = arithmetic.packed(w, rows: outputs, columns: columns)
      var y = [Float](repeating: 0, count: rows * outputs)
      arithmetic.multiply(x, rows: rows, packed, &y)
      #expect(relativeError(y, expected) < 1e-5)
      // The same from the transposed right side, added and taken away.
      let transposed = (0..<columns * outputs).map { w[$0 % outputs * columns + $0 / outputs] }
      let other = PackedMatrix(rows: outputs, columns: columns)
      other.pack(transposed: transposed, stride: outputs, 0..<other.panels)
      for use in [MatrixArithmetic.Use.subtract, .add, .add] {
        arithmetic.multiply(
          x, xStride: columns, rows: 0..<rows, other, panels: 0..<other.panels, use, &y,
          yStride: outputs)
      }
      #expect(relativeError(y, expected.map { 2 * $0 }) < 1e-5)
    }
  }

  @Test(arguments: [(1, 1), (5, 17), (300, 70), (513, 130)])
  func productsOfColumns(_ rows: Int, _ columns: Int) {
    var random = Random(2)
    let x = random.floats(rows * columns)
    let transposed = (0..<rows * columns).map { x[$0 % rows * columns + $0 / rows] }
    let expected = product(transposed, transposed, columns, columns)
    var all: [[Float]] = []
    for threads in [1, 2] {
      let arithmetic = MatrixArithmetic(kernels: kernels, threads: ThreadPool(count: threads))
      var sums = [Float](repeating: 0, count: columns * columns)
      arithmetic.addProducts(of: x, rows: rows, columns: columns, to: &sums)
      let lower = (0..<columns * columns).filter { $0 % columns <= $0 / columns }
      #expect(relativeError(lower.map { sums[$0] }, lower.map { expected[$0] }) < 1e-5)
      all.append(lower.map { sums[$0] })
    }
    #expect(all[0] == all[1])
  }
}
