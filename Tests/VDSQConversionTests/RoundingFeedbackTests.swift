import TestSupport
import Testing
import VDSQConversion

struct RoundingFeedbackTests {
  private let algebra: LinearAlgebra

  init() throws { algebra = try LinearAlgebra(threads: 1, portable: true) }

  /// Inputs whose columns depend on each other, `[count, columns]`.
  private func inputs(_ count: Int, _ columns: Int, _ random: inout Random) -> [Float] {
    let mixed = random.floats(columns * columns, in: -1...1)
    var inputs: [Float] = []
    for _ in 0..<count {
      let hidden = (0..<columns).map { Float.random(in: -1...1, using: &random) / Float(1 + $0) }
      for j in 0..<columns {
        inputs.append((0..<columns).reduce(0) { $0 + hidden[$1] * mixed[$1 * columns + j] })
      }
    }
    return inputs
  }

  /// `X^T X` in column order.
  private func moments(_ x: [Float], _ n: Int) -> [Double] {
    var h = [Double](repeating: 0, count: n * n)
    for first in stride(from: 0, to: x.count, by: n) {
      for i in 0..<n {
        for j in 0..<n { h[i * n + j] += Double(x[first + i]) * Double(x[first + j]) }
      }
    }
    return h
  }

  /// U, of the shares and the costs, has `U^T U H = 1` up to a factor.
  @Test(arguments: [1, 8, 40])
  func sharesAndCostsAreThoseOfTheInverse(_ n: Int) throws {
    var random = Random(UInt64(n))
    var h = moments(inputs(4 * n, n, &random), n)
    let mean = (0..<n).reduce(0.0) { $0 + h[$1 * n + $1] } / Double(n)
    var damped = h
    for j in 0..<n { damped[j * n + j] += 0.05 * mean }
    let feedback = try #require(RoundingFeedback(moments: &h, columns: n, algebra))
    #expect(feedback.costs.max() == 1)
    var u = [Double](repeating: 0, count: n * n)
    for j in 0..<n {
      let diagonal = 1 / Double(feedback.costs[j]).squareRoot()
      u[j * n + j] = diagonal
      for k in 0..<n where k > j { u[j * n + k] = Double(feedback.shares[j * n + k]) * diagonal }
      for k in 0...j { #expect(feedback.shares[j * n + k] == 0) }
    }
    var products = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for k in 0..<n {
        for a in 0..<n {
          for b in 0..<n {
            products[i * n + k] += u[b * n + i] * u[b * n + a] * damped[a * n + k]
          }
        }
      }
    }
    let factor = products[0]
    for i in 0..<n {
      for k in 0..<n {
        #expect((products[i * n + k] / factor - (i == k ? 1 : 0)).magnitude < 1e-3)
      }
    }
  }

  @Test func zerosHaveNoFeedback() {
    var h = [Double](repeating: 0, count: 64)
    #expect(RoundingFeedback(moments: &h, columns: 8, algebra) == nil)
    h[0] = .infinity
    #expect(RoundingFeedback(moments: &h, columns: 8, algebra) == nil)
  }

  /// The weights of a row in four bits.
  private func rounded(_ row: [Float], _ groups: Int, _ feedback: RoundingFeedback?) -> [Float] {
    var quantizer = FourBitQuantizer(columns: row.count, groups: groups)
    var meter = ErrorMeter()
    quantizer.quantize(row, feedback: feedback, &meter)
    return row.indices.map(quantizer.value)
  }

  /// Inputs without any relation leave nothing to make up for.
  @Test func unrelatedColumnsAreRoundedToTheNearest() throws {
    var random = Random(3)
    var h = [Double](repeating: 0, count: 64 * 64)
    for j in 0..<64 { h[j * 64 + j] = 1 }
    let feedback = try #require(RoundingFeedback(moments: &h, columns: 64, algebra))
    let row = random.floats(64, in: -1...1)
    for (a, b) in zip(rounded(row, 32, feedback), rounded(row, 32, nil)) {
      #expect((a - b).magnitude < 1e-6)
    }
  }

  /// On inputs that the feedback has not seen.
  @Test(arguments: [(64, 32), (128, 64), (72, 32)])
  func productsLoseLessThanByTheNearest(_ columns: Int, _ groups: Int) throws {
    var random = Random(UInt64(columns))
    // Both halves are mixed in the same way.
    let x = inputs(1200, columns, &random)
    let (seen, unseen) = (Array(x[..<(1000 * columns)]), Array(x[(1000 * columns)...]))
    var h = moments(seen, columns)
    let feedback = try #require(RoundingFeedback(moments: &h, columns: columns, algebra))
    var lost = (gptq: 0.0, nearest: 0.0)
    for _ in 0..<20 {
      let row = random.floats(columns, in: -1...1)
      for (isCorrected, values) in [
        (true, rounded(row, groups, feedback)), (false, rounded(row, groups, nil)),
      ] {
        for first in stride(from: 0, to: unseen.count, by: columns) {
          let error = (0..<columns).reduce(0.0) {
            $0 + Double(unseen[first + $1]) * Double(row[$1] - values[$1])
          }
          if isCorrected { lost.gptq += error * error } else { lost.nearest += error * error }
        }
      }
    }
    #expect(lost.gptq < 0.6 * lost.nearest)
  }
}
