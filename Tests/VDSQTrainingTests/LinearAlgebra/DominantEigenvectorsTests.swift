import TestSupport
import Testing

import VDSQTraining

@Suite struct DominantEigenvectorsTests {
  /// A matrix with known eigenvectors: reflections of unit vectors.
  @Test(arguments: [1, 3, 12, 20])
  func findsTheLargestFirst(_ count: Int) {
    let d = 12
    var random = Random(2)
    var u = random.floats(d)
    let norm = u.reduce(0) { $0 + $1 * $1 }.squareRoot()
    u = u.map { $0 / norm }
    // Column i of the reflection I - 2 u u^T has the eigenvalue 2^-i.
    func column(_ i: Int) -> [Float] { (0..<d).map { ($0 == i ? 1 : 0) - 2 * u[$0] * u[i] } }
    let values = (0..<d).map { Float(1) / Float(1 << $0) }
    let found = DominantEigenvectors(count, dimensions: d) { rows in
      var products = [Float](repeating: 0, count: rows.count)
      for row in 0..<rows.count / d {
        for i in 0..<d {
          let v = column(i)
          let dot = (0..<d).reduce(Float(0)) { $0 + v[$1] * rows[row * d + $1] }
          for k in 0..<d { products[row * d + k] += values[i] * dot * v[k] }
        }
      }
      return products
    }
    #expect(found.values.count == min(count, d))
    for i in found.values.indices {
      #expect((found.values[i] - values[i]).magnitude < 1e-4 * values[i] + 1e-6)
      guard values[i] > 1e-3 else { continue }
      let vector = Array(found.vectors[i * d..<(i + 1) * d])
      #expect(cosine(vector, column(i)).magnitude > 1 - 1e-4)
      #expect(vector.max { $0.magnitude < $1.magnitude }! > 0)
    }
  }
}
