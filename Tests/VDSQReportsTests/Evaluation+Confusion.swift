import VDSQTraining

extension Evaluation {
  /// An evaluation with a known confusion matrix, all of whose answers are equally probable.
  ///
  /// - Parameter confusion: `[labels, labels]`, true labels by rows.
  init(_ confusion: [Int], labels: Int, probability: Float) {
    self.init(
      answers: confusion.enumerated().flatMap { i, count in
        (0..<count).map { _ in
          Answer(
            target: i / labels, predicted: i % labels, probability: probability,
            targetProbability: i / labels == i % labels ? probability : 1 - probability)
        }
      }, labels: labels)
  }
}
