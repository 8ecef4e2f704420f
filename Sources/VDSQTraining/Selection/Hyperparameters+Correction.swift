extension Hyperparameters {
  /// `OnlineCorrection`: examples that are learned behind a trained adapter.
  enum Correction {
    /// The prior variance of a logit of the first state. Adapters of eight examples per label, and
    /// 50 to 120 learned ones: with 0.25, sentiment gains 1 point and neither questions nor 77
    /// intents lose; with 4, intents gain 0.4 points and sentiment loses 4.
    static let variance: Float = 0.25
    /// The number of examples that the prior of the states' mean, which is 0, counts for. Without
    /// one, the first example would be the mean, and would teach nothing.
    static let meanCount: Float = 3
  }
}
