import Glibc
import TestSupport
import Testing
import VDSQInference
import VDSQKernels
import VDSQSemantics

import VDSQTraining

/// Probabilities of scikit-learn 1.9's LogisticRegression(C) on the same examples.
@Suite struct LogisticRegressionTests {
  private let kernels = KernelTable.available()[0]
  private let states: [Float] = {
    var states: [Float] = []
    for i in 0..<15 {
      for j in 0..<4 {
        let value = Float((i * 7 + j * 3) % 11) / 10 - 0.5
        states.append(i % 3 == j ? value + 0.4 : value)
      }
    }
    return states
  }()
  private let golden: [(strength: Float, probabilities: [[Float]])] = [
    (
      1,
      [
        [0.383365, 0.184140, 0.432495], [0.210742, 0.696943, 0.092315],
        [0.176156, 0.148675, 0.675169],
      ]
    ),
    (
      10,
      [
        [0.567617, 0.055715, 0.376668], [0.106153, 0.891217, 0.002630],
        [0.059600, 0.034363, 0.906038],
      ]
    ),
  ]

  private func regression(_ strength: Float, _ members: [Int]) -> LogisticRegression {
    let anchors = LabelSet(
      names: ["a", "b", "c"], dimensions: 4, anchors: [Float](repeating: 0.5, count: 12))
    return LogisticRegression(
      set: TrainingSet(
        FeatureMatrix(states, columns: 4), targets: (0..<15).map { $0 % 3 }, anchors: anchors),
      members: members, strength: strength, arithmetic: MatrixArithmetic(kernels: kernels))
  }

  private func probabilities(_ head: LinearHead, _ example: Int) -> [Float] {
    var logits = head.bias
    for label in 0..<3 {
      for j in 0..<4 { logits[label] += head.weights[label * 4 + j] * states[example * 4 + j] }
    }
    CosineLogits.softmax(&logits, temperature: 1)
    return logits
  }

  @Test func probabilitiesAreTheReferences() {
    for (strength, expected) in golden {
      let head = regression(strength, Array(0..<15)).train()
      for (example, reference) in zip([0, 4, 8], expected) {
        for (a, b) in zip(probabilities(head, example), reference) {
          #expect((a - b).magnitude < 0.01, "C = \(strength), example \(example)")
        }
      }
    }
  }

  /// Where it starts changes the way, not the end.
  @Test func startsMakeNoDifference() {
    let cold = regression(10, Array(0..<15)).train()
    let warm = regression(10, Array(0..<15)).train(from: regression(1, Array(0..<15)).train())
    for example in 0..<15 {
      for (a, b) in zip(probabilities(cold, example), probabilities(warm, example)) {
        #expect((a - b).magnitude < 0.01)
      }
    }
  }

  /// A label without examples, and a single example, end in numbers.
  @Test func fewOrNoExamples() {
    for members in [[0], [0, 3, 6], [], [0, 1]] {
      let head = regression(100, members).train()
      #expect(!(head.weights + head.bias).contains { !$0.isFinite })
    }
  }

  /// 700 examples of 12 labels, in several blocks and shards.
  private func large(_ threads: Int) -> LogisticRegression {
    var random = Random(8)
    let d = 80, count = 700
    let centres = random.floats(12 * d)
    let targets = (0..<count).map { $0 % 12 }
    let states = targets.flatMap { target in
      random.floats(d, in: -2...2).enumerated().map { $1 + centres[target * d + $0] }
    }
    var regression = LogisticRegression(
      features: FeatureMatrix(states, columns: d), targets: targets, labels: 12,
      members: (0..<count).filter { $0 % 9 != 0 }, strength: 1,
      arithmetic: MatrixArithmetic(kernels: kernels, threads: ThreadPool(count: threads)))
    regression.offsets = random.floats(count * 12)
    regression.biasVariance = 0.3
    return regression
  }

  /// The gradient at the solution is zero: computed in doubles, example by example.
  @Test func theSolutionIsStationary() {
    let regression = large(1)
    let head = regression.train()
    let d = regression.features.columns
    var gradient = head.weights.map(Double.init) + head.bias.map { Double($0 / 0.3) }
    let start = gradient.count
    var first = [Double](repeating: 0, count: start)
    for member in regression.members {
      let row = regression.features[member].map(Double.init)
      for isStart in [true, false] {
        let logits = (0..<12).map { label -> Double in
          let offset = Double(regression.offsets![member * 12 + label])
          if isStart { return exp(offset) }
          let dot = (0..<d).reduce(0.0) { $0 + row[$1] * Double(head.weights[label * d + $1]) }
          return exp(dot + Double(head.bias[label]) + offset)
        }
        let total = logits.reduce(0, +)
        for label in 0..<12 {
          let error = logits[label] / total - (regression.targets[member] == label ? 1 : 0)
          for j in 0..<d {
            if isStart {
              first[label * d + j] += error * row[j]
            } else {
              gradient[label * d + j] += error * row[j]
            }
          }
          if isStart { first[12 * d + label] += error } else { gradient[12 * d + label] += error }
        }
      }
    }
    func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    #expect(norm(gradient) < 3e-3 * norm(first))
  }

  @Test func threadsDoNotChangeABit() {
    let heads = [1, 2, 3, 5, 8].map { large($0).train() }
    for head in heads {
      #expect(head.weights == heads[0].weights && head.bias == heads[0].bias)
    }
  }
}
