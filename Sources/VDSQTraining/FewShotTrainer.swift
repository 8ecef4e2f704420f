public import VDSQ
public import VDSQFormat
public import VDSQInference
public import VDSQSemantics

/// Trains adapters: classifiers over a model's hidden states, from a few labelled examples.
///
///     let model = try Model(path: "minilm.vdsq")
///     let adapter = try FewShotTrainer.adapter(
///       model: model, labels: Examples.labels(of: examples), examples: examples)
///     try adapter.write(to: "tickets.vdsa", replace: false)
///
/// A trainer keeps its model open, so that several adapters can be trained on parts of the same
/// examples. Use it from one thread at a time; the work is shared by the encoder's threads.
public final class FewShotTrainer {
  /// The labels, the options and the memory of the training.
  public let plan: TrainingPlan
  /// The model, opened with the plan's options, without weight updates.
  public let encoder: TextEncoder
  /// The labels with the unit vectors of their words.
  public let anchors: LabelSet

  /// The states of the plan's texts without labels; nil if there are none.
  private let unlabelled: FeatureMatrix?

  /// Opens the plan's model, and encodes the labels' words and the texts without labels.
  ///
  /// - Throws: `missingInput` or `badInput` for the model, `usage` for labels or options that it
  ///   does not support.
  public init(
    _ plan: TrainingPlan, report: (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) {
    self.plan = plan
    let encoder = try plan.model.encoder(plan.encoderOptions)
    self.encoder = encoder
    guard plan.options.unlabelledTexts.isEmpty || encoder.kind == .sentences else {
      throw .usage(
        "for sentence encoders; a language model compares its scores with those of reference texts",
        .unlabelledTexts)
    }
    anchors = try LabelSet(
      plan.labels, encoder: encoder, template: plan.options.template,
      bases: plan.options.bases, reference: plan.options.referenceTexts)
    unlabelled = try Self.encode(unlabelled: plan, encoder, report)
  }

  /// The states of texts without labels, of which those with nothing to read are left out.
  private static func encode(
    unlabelled plan: TrainingPlan, _ encoder: TextEncoder, _ report: (TrainingEvent) -> Void
  ) throws(VDSQError) -> FeatureMatrix? {
    let label = plan.labels[0].name
    let all = plan.options.unlabelledTexts.map { Examples.Example(text: $0, label: label) }
      .filter { !$0.isBlank }
    guard !all.isEmpty else { return nil }
    let chosen = all.evenly(atMost: Hyperparameters.Unlabelled.mostTexts)
    return try Examples(
      chosen, labels: plan.labels, encoder: encoder, template: plan.options.template,
      cache: try StateCache(folder: plan.options.cacheFolder, encoder: encoder),
      advance: { report(.encoded($0, of: chosen.count)) }
    ).features
  }

  /// Runs the model over labelled texts.
  ///
  /// - Throws: `badInput` if an example's label is not among the plan's.
  public func encode(
    _ examples: [Examples.Example], report: (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) -> Examples {
    try encode(examples, with: encoder, report: report)
  }

  /// Runs the model with the weight updates of an adapter over labelled texts.
  ///
  /// - Throws: `badInput` if an example's label is not among the plan's.
  public func encode(
    _ examples: [Examples.Example], with encoder: TextEncoder,
    report: (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) -> Examples {
    let encoded = try Examples(
      examples, labels: plan.labels, encoder: encoder, template: plan.options.template,
      cache: try StateCache(folder: plan.options.cacheFolder, encoder: encoder),
      areStatesCached: plan.areStatesCached,
      advance: { report(.encoded($0, of: examples.count)) })
    TrainingEvent.report(examples, encoded: encoded, by: encoder, to: report)
    return encoded
  }

  /// Trains an adapter on examples that this trainer encoded, or some of them.
  ///
  /// - Throws: `usage` if there are none, `internalFault` if their states are not finite.
  public func train(
    on examples: Examples, report: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) -> Adapter {
    // Closed forms need no weights, and these come back when they are needed.
    if !plan.triesFinetuning { encoder.container.release() }
    let context = TrainingContext(
      encoder: encoder, anchors: anchors, allowsFinetuning: plan.triesFinetuning,
      unlabelled: unlabelled, seed: plan.options.seed, report: report)
    judgeWords(on: examples, context.arithmetic, report)
    return try plan.method.definition.train(
      examples, context, ProgressSpan { report(.trained($0)) })
  }

  /// Reports label words that the examples do not bear out. A language model's words are weights,
  /// and are not judged here.
  private func judgeWords(
    on examples: Examples, _ arithmetic: MatrixArithmetic, _ report: (TrainingEvent) -> Void
  ) {
    // The mean of a single label says nothing about words.
    guard anchors.wordHead == nil, Set(examples.targets).count > 1 else { return }
    let set = TrainingSet(examples, anchors: anchors)
    let trust = set.prior(
      set.statistics(of: Array(set.targets.indices), hasScatter: false, arithmetic)
    ).trust
    let least = Hyperparameters.Reliability.leastTrust
    if trust.contains(where: { $0 <= -least }) {
      report(.wordsContradicted)
      return
    }
    let doubted = trust.indices.filter { trust[$0] < least && $0 != anchors.outOfScope }
    guard !doubted.isEmpty else { return }
    report(.wordsDoubted(labels: doubted.map { anchors.names[$0] }, of: anchors.count))
  }

  /// Plans, encodes and trains. Examples whose texts have nothing to read are left out.
  ///
  /// - Parameters:
  ///   - model: the model to train on.
  ///   - labels: all labels; an example's must be among them.
  ///   - report: called as the work goes on.
  /// - Throws: the errors of `TrainingPlan`, `encode` and `train`.
  public static func adapter(
    model: Model, labels: [Label], examples: [Examples.Example],
    options: TrainingOptions = TrainingOptions(),
    report: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) -> Adapter {
    let examples = Examples.readable(examples, report: report)
    let trainer = try FewShotTrainer(
      try TrainingPlan(
        model: model, labels: labels, examples: examples, options: options, report: report),
      report: report)
    return try trainer.train(
      on: try trainer.encode(examples, report: report), report: report)
  }
}
