import TestSupport
import Testing
import VDSQKernels

import VDSQTraining

@Suite struct CholeskyFactorTests {
  private let kernels = KernelTable.available()[0]

  /// Solutions of a symmetric system, checked by multiplying back.
  @Test(arguments: [1, 2, 3, 17, 40])
  func symmetricSystems(size: Int) throws {
    var random = Random(2)
    let a = random.floats(size * size)
    var matrix = [Float](repeating: 0, count: size * size)
    for i in 0..<size {
      for j in 0..<size {
        for k in 0..<size { matrix[i * size + j] += a[i * size + k] * a[j * size + k] }
      }
      matrix[i * size + i] += 1
    }
    let x = random.floats(size)
    var b = (0..<size).map { i in (0..<size).reduce(0) { $0 + matrix[i * size + $1] * x[$1] } }
    let factor = try #require(CholeskyFactor(matrix, size: size, kernels: kernels))
    factor.solve(&b)
    #expect(zip(b, x).allSatisfy { ($0 - $1).magnitude < 1e-3 })
    #expect(CholeskyFactor(matrix.map { -$0 }, size: size, kernels: kernels) == nil)
  }
}
