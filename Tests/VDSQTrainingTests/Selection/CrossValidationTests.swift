import Glibc
import TestSupport
import Testing
import VDSQFormat
import VDSQInference
import VDSQKernels

import VDSQTraining

@Suite struct CrossValidationTests {
  private let kernels = KernelTable.available()[0]
  private let targets = [0, 0, 1, 0, 1, 2, 2, 1, 0, 2, 1, 0, 2]

  @Test func everyExampleIsHeldOutOnce() throws {
    let validation = try #require(CrossValidation(targets: targets, labels: 3, folds: 4))
    #expect(validation.folds.flatMap(\.heldOut).sorted() == Array(targets.indices))
    for fold in validation.folds {
      #expect((fold.training + fold.heldOut).sorted() == Array(targets.indices))
      // Each label of more than one example is known without the held-out ones.
      for label in 0..<3 { #expect(fold.training.contains { targets[$0] == label }) }
    }
  }

  @Test func membersAreThoseThatTakePart() throws {
    let members = [1, 3, 2, 7, 5, 6]
    let validation = try #require(
      CrossValidation(targets: targets, labels: 3, folds: 2, members: members))
    #expect(validation.folds.flatMap(\.heldOut).sorted() == members.sorted())
    for fold in validation.folds {
      #expect(Set(fold.training).union(fold.heldOut) == Set(members))
    }
  }

  @Test func aSingleExampleCannotBeHeldOut() {
    #expect(CrossValidation(targets: [0, 0, 1], labels: 2, folds: 2) == nil)
    // A label without examples is held out nowhere.
    #expect(CrossValidation(targets: [0, 0, 0], labels: 2, folds: 2) != nil)
  }

  /// What a candidate predicts: any function of the fold and the example.
  private func logits(_ candidate: Int, _ example: Int, _ fold: CrossValidation.Fold) -> [Float] {
    (0..<3).map { sinf(Float(candidate + 1) * Float(example * 3 + $0) + Float(fold.heldOut[0])) }
  }

  /// Sums of a loop over folds, examples and temperatures, in doubles.
  @Test func scoresAreThoseOfADirectLoop() throws {
    let temperatures: [Float] = [0.5, 1, 3]
    let validation = try #require(CrossValidation(targets: targets, labels: 3, folds: 4))
    var shares: [Double] = []
    let table = try validation.score(
      targets, labels: 3, candidates: 2, .logits(temperatures: temperatures, kernels),
      progress: ProgressSpan { shares.append($0) }
    ) { (fold, evaluate, _) throws(VDSQError) in
      for candidate in 0..<2 {
        try evaluate(candidate) { example, output in
          #expect(output == [0, 0, 0])
          output = logits(candidate, example, fold)
        }
      }
    }
    var best = (score: -Double.infinity, place: 0)
    for candidate in 0..<2 {
      for (t, temperature) in temperatures.enumerated() {
        var sum = 0.0
        for fold in validation.folds {
          for example in fold.heldOut {
            let exponentials = logits(candidate, example, fold).map {
              exp(Double($0) / Double(temperature))
            }
            sum += log(exponentials[targets[example]] / exponentials.reduce(0, +))
          }
        }
        let place = candidate * 3 + t
        #expect((table.sums[place] - sum).magnitude < 1e-4)
        if sum > best.score { best = (sum, place) }
      }
    }
    #expect(table.best.candidate * 3 + table.best.temperature == best.place)
    #expect(shares == [0.25, 0.5, 0.75, 1])
  }

  @Test func predictionsAreInTheFoldsOrder() throws {
    let validation = try #require(CrossValidation(targets: targets, labels: 3, folds: 4))
    let heldOut = try validation.predictions(targets, labels: 3, candidates: 2) {
      (fold, evaluate, _) throws(VDSQError) in
      for candidate in 0..<2 {
        try evaluate(candidate) { $1 = logits(candidate, $0, fold) }
      }
    }
    let order = validation.folds.flatMap { fold in fold.heldOut.map { (fold, $0) } }
    #expect(heldOut.targets == order.map { targets[$0.1] })
    for candidate in 0..<2 {
      #expect(heldOut.candidates[candidate] == order.flatMap { logits(candidate, $0.1, $0.0) })
    }
    let (x, y) = (heldOut.candidates[0], heldOut.candidates[1])
    var sum = 0.0
    for (i, target) in heldOut.targets.enumerated() {
      let mixed = (0..<3).map { exp(0.3 * Double(x[3 * i + $0]) + 2 * Double(y[3 * i + $0])) }
      sum += log(mixed[target] / mixed.reduce(0, +))
    }
    #expect((heldOut.logLikelihood(0.3, x, 2, y, kernels) - sum).magnitude < 1e-4)
  }

  @Test func probabilitiesAndTheirLogarithmsAreTakenAsTheyAre() {
    var probabilities = LikelihoodTable(candidates: 2, .probabilities)
    probabilities.add(0, [0.25, 0.75, 0, 1], targets: [0, 0])
    probabilities.add(1, [0.5, 0.5], targets: [1])
    let least = log(Double(Hyperparameters.leastProbability))
    #expect((probabilities.sums[0] - log(0.25) - least).magnitude < 1e-4)
    #expect(probabilities.best.candidate == 1)
    var logarithms = LikelihoodTable(candidates: 2, .logProbabilities)
    logarithms.add(1, [-3, -0.25], targets: [1])
    logarithms.add(0, [-0.5, -2], targets: [0])
    #expect(logarithms.sums == [-0.5, -0.25])
    logarithms.addLogPrior { candidate, _ in candidate == 0 ? 0 : -1 }
    #expect(logarithms.best.candidate == 0 && logarithms.best.score == -0.5)
  }

  @Test func progressOfParts() {
    var shares: [Double] = []
    let whole = ProgressSpan { shares.append($0) }
    whole.part(1, of: 4).part(from: 0.5, to: 1).advance(to: 0.5)
    whole.part(from: 0.5, to: 1).advance(to: 1)
    #expect(shares == [0.4375, 1])
  }
}
