import VDSQFormat
import VDSQInference
import VDSQSemantics

/// An evaluation's texts as the trainer's model encoded them, each once.
struct FewShotEvaluationRun {
  let trainer: FewShotTrainer
  let test: [Examples.Example]
  let encodedTest: Examples
  /// Nil where nothing is trained on.
  let training: Examples?

  /// Evaluates the label words, which are compared with the model's vector alone.
  func zeroShot() throws(VDSQError) -> Evaluation {
    let encoder = trainer.encoder
    let own = encoder.dimensions / (encoder.intermediateFeatures.count + 1)
    return Evaluation(
      of: try Classifier(labels: trainer.anchors.prefix(own), kernels: encoder.kernels),
      states: encodedTest.states, columns: encoder.dimensions, targets: encodedTest.targets)
  }

  /// Evaluates an adapter that is trained on a draw of examples.
  ///
  /// - Parameter count: examples of each label.
  /// - Throws: `usage` if there are no examples.
  func fewShot(_ count: Int, seed: UInt64) throws(VDSQError) -> Evaluation {
    guard let training else { throw .usage("an evaluation with examples needs some to draw from") }
    let encoder = trainer.encoder
    let drawn = Shots(
      training.targets, labels: trainer.anchors.count, count: count, seed: seed)
    let adapter = try trainer.train(
      on: training.subset(drawn.members, columns: encoder.dimensions))
    let classifier = try Classifier(adapter: adapter, kernels: encoder.kernels)
    guard adapter.updates != nil else {
      return Evaluation(
        of: classifier, states: encodedTest.states, columns: encoder.dimensions,
        targets: encodedTest.targets)
    }
    let tuned = try adapter.encoder(encoder.container, options: encoder.options)
    return Evaluation(
      of: classifier, states: try trainer.encode(test, with: tuned).states,
      columns: tuned.dimensions, targets: encodedTest.targets)
  }
}
