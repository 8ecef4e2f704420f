public import VDSQFormat

/// What training tells while it runs.
public enum TrainingEvent: Sendable {
  /// The default method does without finetuning, for which the memory budget has no room.
  case finetuningSkipped(VDSQError)
  /// So many examples have been through the model.
  case encoded(Int, of: Int)
  /// So much of the training is done, from 0 to 1.
  case trained(Double)
}
