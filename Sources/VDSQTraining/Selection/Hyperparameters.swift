import VDSQSemantics

/// Every constant of few-shot training: what it is, why it has its value, and how that was
/// measured. "Not measured" means that no figure for it was kept.
///
/// "The four sets" are banking77, Debian's package sections, SST-2 and TREC, 1 to 256 examples per
/// label, all-MiniLM-L6-v2 in int8 (`Benchmarks/run fewshot`). docs/few-shot.md has the formulas.
enum Hyperparameters {
  /// Folds of cross-validation: three quarters of the examples to train on, for four times the
  /// work. Not measured.
  static let folds = 4
  /// The least probability whose logarithm counts, so that one text cannot decide alone. Any that
  /// float32 represents does.
  static let leastProbability: Float = 1e-30

  /// Linear discriminant analysis with label anchors as prior.
  enum Discriminant {
    /// How many examples an anchor is worth (prior count): from label words that mislead to label
    /// words that are nearly all there is. The steps are not measured.
    static let priorCounts: [Float] = [1, 2, 4, 8, 16, 32, 64, 256]
    /// How many examples a spherical covariance is worth (shrinkage count). Counted in examples: a
    /// fixed share let directions of two or eight examples dominate, which cost sentiment 3 to 5
    /// points.
    static let shrinkageCounts: [Float] = [128, 512, 2048, 8192]
    /// What logits are multiplied by (inverse temperatures). At most 1: the covariance is of few
    /// examples, so logits are too sure of themselves. The steps are not measured.
    static let logitScales: [Float] = [0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1]
    /// Tried with intermediate features: the prior count that was chosen for the vector alone and
    /// this multiple of it, up to a most, with fewer shrinkage counts. A smaller grid saves time.
    /// Not measured.
    static let featurePriorCountFactor: Float = 4
    static let mostFeaturePriorCount: Float = 256
    static let featureShrinkageCounts: [Float] = [256, 1024, 4096]
    /// Examples that take part in a choice at most: it costs time in proportion. Not measured.
    static let mostForChoosing = 2000
    /// Length of centred anchors relative to the states' root mean square: what labels differ in is
    /// a part of what texts differ in. Not measured.
    static let anchorLength: Float = 0.5
    /// How many examples it is worth that the centre is 0: the middle of two examples is chance.
    /// Together with label words in sentences, one example per label gained 6 to 7 points on SST-2
    /// and TREC, 1 on Debian's sections, none on banking77.
    static let centerCount: Float = 4

    /// Where nothing can be held out: values that fit all four sets at one example per label.
    /// Anchors count for more where all examples together are a handful.
    static func withoutFolds(examples: Int) -> LinearDiscriminant.Choice {
      LinearDiscriminant.Choice(
        priorCount: max(4, 48 / Float(examples)), shrinkageCount: 2048, logitScale: 0.04)
    }

    /// The most likely prior and shrinkage counts before any example is held out. A few held-out
    /// examples are chance, so label words are believed until there are more. Together with the
    /// shrinkage count in examples and the first word's state: TREC at 4 and 16 examples per label
    /// .787 and .835 (before .584 and .701), SST-2 at 1, 4 and 16 .717, .727 and .742 (before .677,
    /// .670 and .703). Not measured apart.
    static let expectedPriorCount: Float = 32
    static let expectedShrinkageCount: Float = 4096
  }

  /// Intermediate layers whose states are tried beside the vector.
  enum Intermediate {
    /// Pooled states two thirds and five sixths of the way up: the top was trained to forget what
    /// its task does not need. The first word's state, five sixths up, is worth 10 points and more
    /// on TREC from four examples per label on. Maximum, minimum and deviation over tokens, and the
    /// last token's, did not help on SST-2.
    static func layers(of count: Int) -> (lower: Int, upper: Int) { (count * 2 / 3, count * 5 / 6) }
    /// In models of fewer layers the three would lie close to the top. Not measured.
    static let leastLayers = 6
  }

  /// Logistic regression and kernel ridge regression beside the discriminant.
  enum Stacking {
    /// Examples per label from which on they are tried: fewer leave too few held out. Not measured.
    static let examplesPerLabel = 8
    /// Strength of the data in logistic regression (scikit-learn's C), ascending: each training
    /// starts where the one before ended. Not measured.
    static let strengths: [Float] = [10, 100]
    /// Logistic regression's share of the linear logits: none, all, and three between. Not
    /// measured.
    static let shares: [Float] = [0, 0.25, 0.5, 0.75, 1]
    /// What the mixture's logits are multiplied by: about 1, as the discriminant is calibrated
    /// before. Not measured.
    static let logitScales: [Float] = [0.5, 0.7, 1, 1.4, 2]
    /// What linear logits are multiplied by beside kernel ridge regression's; 0 leaves them out.
    /// Not measured.
    static let linearScales: [Float] = [1, 0.7, 0.5, 0.25, 0]
    /// What kernel ridge regression's outputs are multiplied by: its targets are 0 and 1, not
    /// logits. Not measured.
    static let ridgeScales: [Float] = [2, 4, 8, 16]
    /// Nats by which kernel ridge regression must make held-out examples likelier: a smaller gain
    /// is chance, and a linear adapter is smaller. Not measured.
    static let leastGain = 2.0
  }

  /// Kernel ridge regression with a radial basis function (RBF) of unit vectors.
  enum Ridge {
    /// `exp(sharpness (cosine - 1))` of unit vectors, which is `exp(-gamma |x - u|^2)` with gamma =
    /// 1. Not measured.
    static let sharpness: Float = 2
    /// Added to the diagonal of the centres' own RBF matrix: fp16 centres that are close make it
    /// singular.
    static let jitter: Float = 1e-3
    /// Ridge penalties (scikit-learn's alpha), from strong to weak. Not measured.
    static let penalties: [Float] = [1, 0.3, 0.1]
    /// Examples that are centres at most: 0.8 MB of an adapter for MiniLM. Kernel ridge regression
    /// gains 3 points on Debian's sections at 64 and 256 examples per label, 0.8 and 0.4 on
    /// banking77 at 16 and 64. Other limits were not measured.
    static let mostCenters = 1024
  }

  /// L-BFGS (Liu and Nocedal 1989) of logistic regression.
  enum Optimizer {
    /// Pairs of differences that are kept; 3 to 20 are usual. Not measured.
    static let history = 8
    /// Iterations at most, a bound of the time. Not measured.
    static let iterations = 60
    /// Share of the first gradient's length that counts as 0, and the least length that does.
    /// Probabilities are within .01 of scikit-learn's (`LogisticRegressionTests`).
    static let tolerance: Float = 2e-3
    static let leastGradient: Float = 1e-6
    /// Halvings of a step at most, and the sufficient decrease (Armijo) that ends them, as is
    /// usual.
    static let halvings = 20
    static let sufficientDecrease = 1e-4
    /// Differences with less curvature than this are left out of the history.
    static let leastCurvature: Float = 1e-12
    /// Errors below this share of the strength are left out of a gradient, for time: most labels
    /// are out of the question for most examples. Not measured.
    static let negligibleError: Float = 1e-6
  }

  /// Semantic calibration (arXiv 2401.16184).
  enum Calibration {
    /// Ranks of the paper's module and of a small one, at most the dimensions. Not measured.
    static let rank = 64
    static let lowRank = 8
    /// Training by AdamW with a cosine schedule. Not measured.
    static let epochs = 60
    static let batch = 32
    static let learningRate: Float = 0.003
    static let weightDecay: Float = 0.01
    /// How much of the trained displacement is kept: 0 would be zero-shot, 1 the module as trained.
    /// Not measured.
    static let strengths: [Float] = [0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1]
    /// Where a label has a single example and none can be held out. Not measured.
    static let strengthWithoutFolds: Float = 0.2
    /// The shortest state whose cosines are computed.
    static let leastLength: Float = 1e-12
  }

  /// k nearest neighbours.
  enum Neighbors {
    /// How many vote; odd, so that two labels do not tie. Not measured.
    static let counts = [1, 3, 5, 9, 15, 31]
    /// A vote counts `exp(sharpness * cosine)`; 0 is the plain vote. Not measured.
    static let sharpness: [Float] = [0, 5, 10, 20, 40]
    /// Examples that take part in the choice at most: each is compared with all. Not measured.
    static let mostForChoosing = 500
  }

  /// Low-rank finetuning of the encoder (LoRA, Hu et al. 2021).
  enum Finetuning {
    /// LoRA's rank, and alpha over rank: as in the comparison with peft (`Benchmarks/lora.py`),
    /// also the batch, learning rate and weight decay.
    static let rank = 8
    static let scale: Float = 2
    /// The comparison's LoRA has 20 epochs; ten reach .825 on SST-2 at 256 examples per label, LoRA
    /// .828 (five draws). More were not measured.
    static let epochs = 10
    static let batch = 16
    static let learningRate: Float = 1e-3
    static let weightDecay: Float = 0.01
    /// Share of the steps over which the learning rate rises; it falls linearly from there. Not
    /// measured.
    static let warmUp: Float = 0.1
    /// Steps at least and at most: 512 texts of SST-2 take 61 s on two threads.
    static let steps = 100...600
    /// Tokens that all steps go through at most, about: without it long texts would take an hour.
    static let allTokens = 400_000
    /// Tokens of a pass, where no text is longer: a bound of the memory. Not measured.
    static let tokens = 256
    /// Examples per label, at least, that tell how sure answers may be. Not measured.
    static let examplesPerLabel = 8
    /// One part of five is held out; all five would take five times as long. Not measured.
    static let folds = 5
    /// Temperatures of the finetuned head. Not measured.
    static let temperatures: [Float] = [0.5, 0.7, 1, 1.4, 2, 2.8, 4, 5.6]
    /// The likeliest temperature before any example is held out. Not measured.
    static let expectedTemperature: Float = 2.8
    /// Examples of every label from which on the default tries it. At 64, on nine sets that nothing
    /// was chosen on, it is ahead of frozen states by 1.3 points on average. At 16 it is often
    /// better too, but the closed forms take a twentieth of LoRA's time there.
    static let worthTrying = 32
    /// Nats by which it may make the held-out fifth less likely than the closed forms do, and still
    /// be kept. A judge that asked for a gain of 4 nats kept the closed forms on three of five
    /// draws of SST-2, though finetuning was 2.2 to 3.8 points better on all five.
    static let allowance = 4.0
    /// The shortest state that is normalised.
    static let leastLength: Float = 1e-12
  }

  /// Learning one example after another.
  enum Online {
    /// Examples that can be taken back. Their states are the only ones in the file: 24 KB for
    /// MiniLM.
    static let undoable = 16
    /// Before so many examples nothing is chosen. Not measured.
    static let leastExamples = 8
    /// Before: anchors are worth four examples, since a user who corrects an answer expects to see
    /// another. Not measured.
    static let unchosen = LinearDiscriminant.Choice(
      priorCount: 4, shrinkageCount: 2048, logitScale: 0.04)
    /// A smaller grid than the discriminant's: each example is scored under all of it before it is
    /// learned, and an example takes 15 ms in all. Not measured apart.
    static let priorCounts: [Float] = [1, 4, 16]
    static let shrinkageCounts: [Float] = [512, 4096]
    /// What is left of an example's say in the choice after the next: about 33 examples count. Not
    /// measured.
    static let memory = 0.97
  }
}
