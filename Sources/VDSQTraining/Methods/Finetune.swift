import VDSQFormat
import VDSQSemantics

extension TrainingMethod.Definition {
  /// Low-rank updates of the encoder's queries and values, whatever the number of examples.
  package static let finetune = Self(
    summary: "low-rank updates of the weights of a sentence encoder", finetuning: .always
  ) { (examples, context, progress) throws(VDSQError) in
    try context.finetuning.adapter(
      examples, labels: context.anchors, announce: context.announce(examples), progress: progress)
  }
}

extension TrainingContext {
  /// Reports the expected seconds of finetuning on examples.
  package func announce(_ examples: Examples) -> (Double) -> Void {
    { report(.finetuning(texts: examples.targets.count, seconds: $0)) }
  }

  package var finetuning: LowRankFinetuning {
    var options = LowRankFinetuning.Options()
    options.seed = seed
    return LowRankFinetuning(encoder: encoder, options: options)
  }
}
