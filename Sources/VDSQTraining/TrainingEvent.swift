public import VDSQFormat

/// The progress of training.
public enum TrainingEvent: Sendable {
  /// The default method skips finetuning, because the memory budget is too small for it.
  case finetuningSkipped(VDSQError)
  /// Finetuning has begun, and is expected to take so many seconds.
  case finetuning(texts: Int, seconds: Double)
  /// The number of examples that have passed through the model.
  case encoded(Int, of: Int)
  /// Some examples were left out, because their texts have nothing to read.
  case leftOut(Int, of: Int)
  /// Labels are indices of these names, which they got.
  case indexed([String])
  /// Some texts were truncated to the longest sequence.
  case truncated(Int, of: Int, tokens: Int)
  /// Parts of some texts were no characters, and became U+FFFD.
  case replaced(Int, of: Int)
  /// The examples contradict the words of two labels, which are used the other way round.
  case wordsContradicted
  /// The examples do not bear out the words of some labels, which count for little.
  case wordsDoubted(labels: [String], of: Int)
  /// Texts without labels were left out.
  case unlabelledTextsRefused(UnlabelledRefusal)
  /// The share of the training that is done, from 0 to 1.
  case trained(Double)
}
