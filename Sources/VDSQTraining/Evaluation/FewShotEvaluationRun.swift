package import VDSQFormat
import VDSQInference
import VDSQSemantics

/// An evaluation's texts as the trainer's model encoded them, each once.
package struct FewShotEvaluationRun {
  package let trainer: FewShotTrainer
  package let test: [Examples.Example]
  package let encodedTest: Examples
  /// Nil if nothing is trained.
  package let training: Examples?

  /// Evaluates the label words, which are compared with the model's vector alone.
  ///
  /// - Parameter report: called as texts without labels take part.
  package func zeroShot(
    report: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) -> Evaluation {
    guard trainer.plan.options.unlabelledTexts.isEmpty else {
      let adapter = try trainer.train(on: encodedTest.subset([]), report: report)
      return Evaluation(
        of: try Classifier(adapter: adapter, kernels: trainer.encoder.kernels),
        features: encodedTest.features, targets: encodedTest.targets)
    }
    let own = encodedTest.features.layout.blockSize
    return Evaluation(
      of: try Classifier(labels: trainer.anchors.prefix(own), kernels: trainer.encoder.kernels),
      features: encodedTest.features, targets: encodedTest.targets)
  }

  /// Evaluates an adapter that is trained on a draw of examples.
  ///
  /// - Parameter count: examples of each label.
  /// - Throws: `usage` if there are no examples.
  package func fewShot(
    _ count: Int, seed: UInt64, report: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) -> Evaluation {
    guard let training else { throw .usage("an evaluation with examples needs some to draw from") }
    let encoder = trainer.encoder
    let drawn = FewShotSample(
      training.targets, labels: trainer.anchors.count, count: count, seed: seed)
    let adapter = try trainer.train(on: training.subset(drawn.members), report: report)
    let classifier = try Classifier(adapter: adapter, kernels: encoder.kernels)
    guard adapter.updates != nil else {
      return Evaluation(
        of: classifier, features: encodedTest.features, targets: encodedTest.targets)
    }
    let tuned = try adapter.encoder(encoder.container, options: encoder.options)
    return Evaluation(
      of: classifier, features: try trainer.encode(test, with: tuned).features,
      targets: encodedTest.targets)
  }
}
