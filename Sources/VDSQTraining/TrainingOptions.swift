public import VDSQ
public import VDSQSemantics

/// The options of few-shot training.
public struct TrainingOptions: Sendable {
  /// The training method.
  public var method = TrainingMethod.joint
  /// A template around label words or around texts; nil for the default templates around label
  /// words.
  public var template: Template?
  /// Texts without labels, of the kind that will be classified, for language models
  /// (`TextClassifier.Options.referenceTexts`).
  public var referenceTexts: [String] = []
  /// Texts without labels, of the kind that will be classified, for sentence encoders and the
  /// methods `joint`, `frozen` and `prior`. Their clusters move the means of the labels.
  public var unlabelledTexts: [String] = []
  /// The vocabulary bases that are a language model's anchors and the prior of training; nil for
  /// the rows of its LM head, as weights of label words.
  public var bases: BasesChoice?
  /// Seed of random numbers.
  public var seed: UInt64 = 1
  /// A folder that keeps examples' hidden states between runs; nil for none.
  public var cacheFolder: String?
  /// Whether the encoder's weights may be updated. If not, all trained adapters read the same
  /// states.
  public var allowsFinetuning = true
  /// How the model is run. The memory budget includes what training takes.
  public var run = RunOptions()

  /// The defaults: the method `joint`, seed 1, no cache and no memory limit.
  public init() {}
}
