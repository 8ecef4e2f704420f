import TestSupport
import Testing
import VDSQKernels

import VDSQSemantics

/// The direction of a head is the gradient of the difference of two logits.
@Suite struct HeadDirectionTests {
  private let dimensions = 16
  private let kernels = KernelTable.available()[0]
  private let state: [Float]
  private let linear: LinearHead
  private let votes: RBFVotes

  init() {
    var random = Random(3)
    let numbers = random.floats(16, in: -1...1)
    let norm = numbers.reduce(0) { $0 + $1 * $1 }.squareRoot()
    state = numbers.map { $0 / norm }
    linear = LinearHead(weights: random.floats(32, in: -1...1), bias: [0.5, -0.5])
    let centers = random.floats(3 * 16, in: -0.3...0.3)
    votes = RBFVotes(
      dimensions: 16, centers: centers.map { Float16($0).bitPattern },
      weights: random.floats(6, in: -4...4),
      sharpness: 2)
  }

  /// `logits[0] - logits[1]`.
  private func difference(_ head: Head, _ state: [Float]) -> Float {
    var logits: [Float] = [0, 0]
    var scratch = [Float](repeating: 0, count: max(1, head.scratchCount))
    logits.withUnsafeMutableBufferPointer { logits in
      scratch.withUnsafeMutableBufferPointer {
        head.logits(
          state, dimensions: dimensions, scratch: $0.baseAddress!, kernels, into: logits)
      }
    }
    return logits[0] - logits[1]
  }

  private func direction(_ head: Head) -> [Float] {
    head.direction(
      toward: 0, awayFrom: 1, at: state, columns: dimensions, dimensions: dimensions,
      kernels: kernels)
  }

  @Test func linearHeads() {
    let head = Head.linear(linear)
    for (j, slope) in direction(head).enumerated() {
      var (above, below) = (state, state)
      above[j] += 0.01
      below[j] -= 0.01
      #expect(abs((difference(head, above) - difference(head, below)) / 0.02 - slope) < 1e-2)
    }
  }

  /// Votes depend on the cosine, so the gradient is compared along directions at right angles to the state.
  @Test func rbfHeads() {
    let head = Head.rbf(RBFHead(linear: linear, votes: votes))
    let gradient = direction(head)
    #expect(relativeError(gradient, direction(.linear(linear))) > 0.05)
    var random = Random(4)
    for _ in 0..<10 {
      var step = random.floats(dimensions, in: -1...1)
      let along = zip(step, state).reduce(0) { $0 + $1.0 * $1.1 }
      for j in 0..<dimensions { step[j] = 0.01 * (step[j] - along * state[j]) }
      let above = difference(head, zip(state, step).map { $0 + $1 })
      let below = difference(head, zip(state, step).map { $0 - $1 })
      let slope = zip(gradient, step).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(abs((above - below) / 2 - slope) < 0.02 * abs(slope) + 1e-3)
    }
  }
}
