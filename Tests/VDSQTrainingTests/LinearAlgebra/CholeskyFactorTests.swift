import TestSupport
import Testing
import VDSQInference
import VDSQKernels

import VDSQTraining

@Suite struct CholeskyFactorTests {
  private let kernels = KernelTable.available()[0]

  /// A well-conditioned symmetric matrix, and unknowns with their right sides.
  private func system(_ size: Int, _ count: Int) -> (matrix: [Float], x: [Float], b: [Float]) {
    var random = Random(2)
    let a = random.floats(size * size)
    var matrix = [Float](repeating: 0, count: size * size)
    for i in 0..<size {
      for j in 0..<size {
        for k in 0..<size { matrix[i * size + j] += a[i * size + k] * a[j * size + k] }
      }
      matrix[i * size + i] += Float(size)
    }
    let x = random.floats(count * size)
    let b = (0..<count * size).map { at in
      (0..<size).reduce(0) { $0 + matrix[at % size * size + $1] * x[at / size * size + $1] }
    }
    return (matrix, x, b)
  }

  /// Solutions of a symmetric system, checked by multiplying back: less than a block of unknowns,
  /// whole blocks, and parts of one.
  @Test(arguments: [1, 2, 3, 17, 40, 64, 65, 128, 203])
  func symmetricSystems(size: Int) throws {
    var (matrix, x, b) = system(size, 9)
    // Only the lower triangle is read.
    for i in 0..<size { for j in i + 1..<max(size, i + 1) { matrix[i * size + j] = .nan } }
    let arithmetic = MatrixArithmetic(kernels: kernels)
    let factor = try #require(CholeskyFactor(matrix, size: size, arithmetic: arithmetic))
    var halves = b
    factor.solve(&b, count: 9)
    #expect(zip(b, x).allSatisfy { ($0 - $1).magnitude < 1e-3 })
    factor.solveLower(&halves, count: 9)
    factor.solveUpper(&halves, count: 9)
    #expect(halves == b)
    #expect(CholeskyFactor(matrix.map { -$0 }, size: size, arithmetic: arithmetic) == nil)
  }

  /// A matrix whose last block is not definite.
  @Test func indefiniteMatrices() {
    let size = 100
    var matrix = system(size, 1).matrix
    matrix[size * size - 1] = -1
    #expect(
      CholeskyFactor(matrix, size: size, arithmetic: MatrixArithmetic(kernels: kernels)) == nil)
    matrix[size * size - 1] = .nan
    #expect(
      CholeskyFactor(matrix, size: size, arithmetic: MatrixArithmetic(kernels: kernels)) == nil)
  }

  @Test func threadsDoNotChangeABit() throws {
    let size = 300
    let (matrix, _, b) = system(size, 40)
    var solutions: [[Float]] = []
    for threads in [1, 2, 3] {
      let arithmetic = MatrixArithmetic(kernels: kernels, threads: ThreadPool(count: threads))
      let factor = try #require(CholeskyFactor(matrix, size: size, arithmetic: arithmetic))
      var x = b
      factor.solve(&x, count: 40)
      solutions.append(x)
    }
    #expect(solutions[0] == solutions[1] && solutions[0] == solutions[2])
  }
}
