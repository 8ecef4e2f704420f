package import VDSQFormat
import VDSQSemantics

extension Reconsideration {
  /// Reviews labelled texts by an adapter that was not trained on them.
  ///
  /// - Returns: one item for each text, most doubtful first.
  package static func list(_ adapted: AdaptedExamples) -> [Reconsideration] {
    list(adapted.examples, classifier: adapted.classifier)
  }

  /// Reviews labelled texts by adapters that are trained on the others, each text held out in turn.
  ///
  /// - Parameter report: called as texts go through the model, and as adapters are trained.
  /// - Returns: one item for each text, most doubtful first.
  /// - Throws: `usage` if the trainer may finetune, which changes the states that are compared; if
  ///   there are fewer than two labels, or one has a single text; what encoding and training throw.
  package static func list(
    _ texts: [Examples.Example], trainer: FewShotTrainer,
    report: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) -> [Reconsideration] {
    guard !trainer.plan.triesFinetuning else {
      throw .usage("finetuning changes the states that a review compares; try another method")
    }
    return try list(try trainer.encode(texts, report: report), trainer: trainer, report: report)
  }

  /// The same with texts that the trainer encoded.
  package static func list(
    _ examples: Examples, trainer: FewShotTrainer,
    report: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) -> [Reconsideration] {
    // Every fold would say the same of label words and of texts without labels.
    var isFirst = true
    return try list(
      examples, labels: trainer.anchors, kernels: trainer.encoder.kernels
    ) { (others) throws(VDSQError) in
      let tellsAll = isFirst
      isFirst = false
      return try trainer.train(on: others) {
        if tellsAll { report($0) } else if case .trained = $0 { report($0) }
      }
    }
  }
}
