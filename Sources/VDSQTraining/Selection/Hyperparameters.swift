import VDSQSemantics

/// Every constant of few-shot training, with the reason for its value and the measurement behind
/// it. "Not measured" means that there is no figure for it.
///
/// "The four sets" are banking77, Debian's package sections, SST-2 and TREC, 1 to 256 examples per
/// label, all-MiniLM-L6-v2 in int8 (`Benchmarks/run fewshot`). docs/few-shot.md has the formulas.
package enum Hyperparameters {
  /// Folds of cross-validation: three quarters of the examples to train on, for four times the
  /// work. Not measured.
  package static let folds = 4
  /// The smallest probability whose logarithm is used, so that a single text cannot decide alone.
  /// Any value that float32 represents would do.
  package static let leastProbability: Float = 1e-30

  /// Linear discriminant analysis with label anchors as prior.
  package enum Discriminant {
    /// Prior counts: the number of examples that an anchor counts for, from misleading label words
    /// to label words that decide nearly alone. The steps are not measured.
    package static let priorCounts: [Float] = [1, 2, 4, 8, 16, 32, 64, 256]
    /// Shrinkage counts: the number of examples that a spherical covariance counts for. A fixed
    /// share let directions of two or eight examples dominate, which cost sentiment 3 to 5 points.
    package static let shrinkageCounts: [Float] = [128, 512, 2048, 8192]
    /// Factors of the logits (inverse temperatures). They are at most 1, because a covariance from
    /// few examples makes logits overconfident. The steps are not measured.
    package static let logitScales: [Float] = [0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1]
    /// The grid with intermediate features: the prior count that was chosen for the vector alone
    /// and this multiple of it, up to a maximum, with fewer shrinkage counts. A smaller grid saves
    /// time. Not measured.
    package static let featurePriorCountFactor: Float = 4
    package static let mostFeaturePriorCount: Float = 256
    package static let featureShrinkageCounts: [Float] = [256, 1024, 4096]
    /// The maximum number of examples in a selection, whose time is proportional to it. Not
    /// measured.
    package static let mostForChoosing = 2000
    /// The length of centred anchors relative to the root mean square length of the states. Labels
    /// differ in only a part of what texts differ in. Not measured.
    package static let anchorLength: Float = 0.5
    /// The number of examples that the prior of the centre, 0, counts for, because the mean of two
    /// examples is random. Together with label words in sentences, one example per label gained 6
    /// to 7 points on SST-2 and TREC, 1 on Debian's sections, none on banking77.
    package static let centerCount: Float = 4

    /// Values without held-out examples, which fit all four sets at one example per label. Anchors
    /// count for more if there are only a handful of examples in all.
    package static func withoutFolds(examples: Int) -> LinearDiscriminant.Choice {
      LinearDiscriminant.Choice(
        priorCount: max(4, 48 / Float(examples)), shrinkageCount: 2048, logitScale: 0.04)
    }

    /// The prior and shrinkage counts with the highest prior probability. A few held-out examples
    /// are noisy, so the choice stays near the label words until there are more. Together with the
    /// shrinkage count in examples and the first word's state: TREC at 4 and 16 examples per label
    /// .787 and .835 (before .584 and .701), SST-2 at 1, 4 and 16 .717, .727 and .742 (before .677,
    /// .670 and .703). Not measured separately.
    package static let expectedPriorCount: Float = 32
    package static let expectedShrinkageCount: Float = 4096
  }

  /// How far examples bear out the label words (`AnchorReliability`).
  ///
  /// Chosen with MiniLM on SST-2, TREC, customer reviews, MPQA and news, whose words were right,
  /// permuted, nonsense, or wrong for one label, at 1, 4 and 16 examples per label.
  package enum Reliability {
    /// Prior probabilities: words are right, say nothing, or name other labels.
    package static let right: Float = 0.85
    package static let unrelated: Float = 0.1
    package static let contradicted: Float = 0.05
    /// The mean slope of right words. It is .08 on sentiment, .2 on questions, .3 on news and .4 on
    /// package descriptions.
    package static let meanSlope: Float = 0.2
    /// The standard deviation of the slope of words that say nothing.
    package static let unrelatedSpread: Float = 0.03
    /// The variance of states along anchors, over that of a mean direction. 2 lets go of wrong
    /// words sooner, and loses a point where right words say little (movie reviews); 3 keeps
    /// nonsense.
    package static let anisotropy: Float = 2.5
    /// The number of examples that the variance of all examples counts for as a variance within
    /// labels. Not measured.
    package static let varianceCount: Float = 4
    /// The expected slope that deserves full trust, and the one with a single example per label,
    /// whose slope is mostly noise.
    package static let fullTrust: Float = 0.07
    package static let fullTrustOfSingles: Float = 0.05
    /// The prior probability that a label's words are right if those of the others are, and the
    /// relative spread of slopes over labels.
    package static let rightLabel: Float = 0.95
    package static let labelSpread: Float = 1
    /// The exponent of the trust in both the length and the prior count of an anchor. With 1 in the
    /// length alone, TREC at 16 examples loses 5 points under wrong words.
    package static let exponent: Float = 0.7
    /// The smallest prior count, which keeps means finite. Not measured.
    package static let leastPriorCount: Float = 0.5
    /// Words with less trust are reported.
    package static let leastTrust: Float = 0.3
  }

  /// Texts without labels (`SemiSupervisedDiscriminant`).
  ///
  /// Chosen with MiniLM's states on ten sets, with pools of 1,500 to 2,000 training texts, 200 and
  /// 500 of them, 90% of one half of the labels, and pools half of another set.
  package enum Unlabelled {
    /// The number of examples that a text counts for. With 0.1 and 1 the mean gain at 4 examples
    /// per label is 2.2 and 1.7 points instead of 2.4.
    package static let weight: Float = 0.3
    /// The number of examples that an anchor counts for if there are none. With 64, TREC gains 3
    /// points less.
    package static let priorCount: Float = 16
    /// The number of examples that a spherical covariance counts for; 256 and 4,096 lose 2 to 5
    /// points on sentiment.
    package static let shrinkageCount: Float = 1024
    /// E-steps and M-steps. Two labels drift to other clusters with more: eight rounds lose 10 to
    /// 20 points on sentiment if half of the texts are questions, two at most 5.
    package static func rounds(labels: Int) -> Int { labels == 2 ? 2 : 4 }
    /// The fewest texts. From 200 texts, sentiment loses up to 5 points and from 500 up to 2; six
    /// labels gain 9 points from 200.
    package static func leastTexts(labels: Int) -> Int {
      labels == 2 ? 1000 : max(200, 40 * labels)
    }
    /// The most labels. On banking77's 77 labels, 40 texts a label gain .3 points without examples,
    /// and lose .2 and 1.5 at one and four examples per label.
    package static let mostLabels = 50
    /// The most texts that take part, evenly spread: time and memory are proportional to them.
    package static let mostTexts = 2000
    /// The most texts that are read from a file, evenly spread, before labels are known.
    package static let mostRead = 20_000
    /// How far the share of the first of two labels may be from a half. Pools with nine texts in
    /// ten of one label, or half of another set, are further, and lose up to 7 points.
    package static let mostUneven: Float = 0.1
  }

  /// Texts of a stream, which are learned from without labels while they are classified.
  package enum Stream {
    /// The number of texts between two changes of the adapter. A change takes about as long as
    /// classifying a hundred short texts.
    package static let step = 500
  }

  /// Intermediate layers whose states are tried beside the vector.
  package enum Intermediate {
    /// Pooled states two thirds and five sixths of the way up, because the top layers discard what
    /// their training task does not need. The first word's state, five sixths up, is worth 10
    /// points and more on TREC from four examples per label on. Maximum, minimum and deviation over
    /// tokens, and the last token's state, did not help on SST-2.
    package static func layers(of count: Int) -> (lower: Int, upper: Int) {
      (count * 2 / 3, count * 5 / 6)
    }
    /// In models of fewer layers the three would lie close to the top. Not measured.
    package static let leastLayers = 6
  }

  /// Logistic regression over a language model's states with the label words as prior.
  ///
  /// Chosen on SST-2, customer reviews, TREC, subjectivity and news with SmolLM2-135M-Instruct in
  /// int8, at 1 and 4 examples per label, four draws.
  package enum LabelWords {
    /// Factors of the label words in the prior mean of the weights, prior variances of the weights
    /// of states, and of those of the words' logits. A narrow prior of states with a trust of 1 is
    /// nearly zero-shot, which nothing beats on sentiment. A wide prior of the words' logits
    /// overrules words that mislead: with it, subjectivity at 4 examples is .64, without it .38.
    package static let candidates: [LabelWordRegression.Candidate] = [Float(0), 0.25, 1].flatMap {
      trust in
      [Float(1e-4), 1e-3, 1e-2, 1e-1].flatMap { state in
        [Float(0.1), 1].map {
          LabelWordRegression.Candidate(trust: trust, stateVariance: state, wordVariance: $0)
        }
      }
    }
    /// The candidate with the highest prior probability, and the nats by which a tenfold variance,
    /// and another trust, lower it. Chosen with `evidenceShare` on customer reviews, movie reviews,
    /// subjectivity, news and package descriptions at 4 and 16 examples per label: the mean
    /// accuracy is .696; it was .694 with a variance of 1 and doubts of 0.3. On sentiment in two
    /// and five classes, questions and opinions it is .618 and .612.
    package static let expected = LabelWordRegression.Candidate(
      trust: 0.25, stateVariance: 3e-3, wordVariance: 0.1)
    package static let doubt = 1.0
    package static let trustDoubt = 0.3
    /// The factor of the held-out log-likelihood in the posterior. Folds have fewer examples than
    /// the whole, and so ask for more trust in the words than the whole does. Chosen as above from
    /// 0.25, 0.5 and 1.
    package static let evidenceShare = 0.25
    /// The candidate without held-out examples. At one example per label, ten draws, the mean
    /// accuracy on the sets of `expected` is .617; with a trust of 0.25 and a state variance of
    /// 1e-3 it is .614, and on the other sets .520 instead of .537.
    package static let withoutFolds = LabelWordRegression.Candidate(
      trust: 0.5, stateVariance: 3e-4, wordVariance: 0.1)
    /// The candidates if there are more labels than this, because time is proportional to both.
    package static let mostLabels = 20
    /// Their prior of the words' logits is narrow, because there are many of them: with a variance
    /// of 1, package descriptions in 24 sections have .37 and .47 at 4 and 16 examples per label,
    /// with 0.03 .42 and .53.
    package static let few: [LabelWordRegression.Candidate] = [Float(1e-3), 1e-2, 1e-1].map {
      LabelWordRegression.Candidate(trust: 0.25, stateVariance: $0, wordVariance: 0.03)
    }
    /// Temperatures of the logits. Not measured.
    package static let temperatures: [Float] = [0.7, 1, 1.4, 2, 2.8, 4]
    /// The prior variance of biases. Not measured.
    package static let biasVariance: Float = 0.3
    /// The number of examples that the reference state counts for in the place where the words'
    /// logits are zero. Not measured.
    package static let referenceCount: Float = 4
    /// Candidates with a smaller posterior probability are left out. Not measured.
    package static let leastWeight: Float = 0.01
    /// The maximum number of examples in the choice, whose time is proportional to it. Not
    /// measured.
    package static let mostForChoosing = 500
  }

  /// Logistic regression and kernel ridge regression beside the discriminant.
  package enum Stacking {
    /// The examples per label from which on they are tried. Fewer leave too few held-out examples.
    /// Not measured.
    package static let examplesPerLabel = 8
    /// Strength of the data in logistic regression (scikit-learn's C), ascending: each training
    /// starts where the one before ended. Not measured.
    package static let strengths: [Float] = [10, 100]
    /// Logistic regression ends when an iteration lowers the loss by a smaller share. On 2,000
    /// examples of banking77, the held-out log-likelihood is then within 2 nats of that of 60
    /// iterations, which is lower where the strength is 100.
    package static let lossTolerance = 1e-3
    /// Shares of logistic regression in the linear logits: none, all, and three in between. Not
    /// measured.
    package static let shares: [Float] = [0, 0.25, 0.5, 0.75, 1]
    /// Factors of the mixture's logits. They are near 1, because the discriminant is calibrated
    /// already. Not measured.
    package static let logitScales: [Float] = [0.5, 0.7, 1, 1.4, 2]
    /// Factors of the linear logits when kernel ridge regression is added; 0 leaves them out. Not
    /// measured.
    package static let linearScales: [Float] = [1, 0.7, 0.5, 0.25, 0]
    /// Factors of the outputs of kernel ridge regression, whose targets are 0 and 1 rather than
    /// logits. Not measured.
    package static let ridgeScales: [Float] = [2, 4, 8, 16]
    /// The gain in nats that kernel ridge regression must have on held-out examples. A smaller gain
    /// is noise, and a linear adapter is smaller. Not measured.
    package static let leastGain = 2.0
  }

  /// Kernel ridge regression with a radial basis function (RBF) of unit vectors.
  package enum Ridge {
    /// `exp(sharpness (cosine - 1))` of unit vectors, which is `exp(-gamma |x - u|^2)` with gamma =
    /// 1. Not measured.
    package static let sharpness: Float = 2
    /// Added to the diagonal of the RBF matrix of the centres, which fp16 centres close to each
    /// other make singular.
    package static let jitter: Float = 1e-3
    /// Ridge penalties (scikit-learn's alpha), from strong to weak. Not measured.
    package static let penalties: [Float] = [1, 0.3, 0.1]
    /// The maximum number of centres, 0.8 MB of an adapter for MiniLM. Kernel ridge regression
    /// gains 3 points on Debian's sections at 64 and 256 examples per label, 0.8 and 0.4 on
    /// banking77 at 16 and 64. Other limits were not measured.
    package static let mostCenters = 1024
  }

  /// L-BFGS (Liu and Nocedal 1989) of logistic regression.
  package enum Optimizer {
    /// The number of stored pairs of differences; 3 to 20 are usual. Not measured.
    package static let history = 8
    /// The maximum number of iterations, which bounds the time. Not measured.
    package static let iterations = 60
    /// The tolerance of the gradient's length, relative to the first gradient, and its minimum.
    /// Probabilities are within .01 of scikit-learn's (`LogisticRegressionTests`).
    package static let tolerance: Float = 2e-3
    package static let leastGradient: Float = 1e-6
    /// The maximum number of halvings of a step, and the usual sufficient decrease (Armijo) that
    /// ends them.
    package static let halvings = 20
    package static let sufficientDecrease = 1e-4
    /// Differences with less curvature than this are left out of the history.
    package static let leastCurvature: Float = 1e-12
  }

  /// Semantic calibration (arXiv 2401.16184).
  package enum Calibration {
    /// Ranks of the paper's module and of a small one, at most the dimensions. Not measured.
    package static let rank = 64
    package static let lowRank = 8
    /// Training by AdamW with a cosine schedule. Not measured.
    package static let epochs = 60
    package static let batch = 32
    package static let learningRate: Float = 0.003
    package static let weightDecay: Float = 0.01
    /// Factors of the trained displacement: 0 would be zero-shot, 1 is the module as trained. Not
    /// measured.
    package static let strengths: [Float] = [0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1]
    /// The factor if a label has a single example and none can be held out. Not measured.
    package static let strengthWithoutFolds: Float = 0.2
    /// The shortest state whose cosines are computed.
    package static let leastLength: Float = 1e-12
  }

  /// k nearest neighbours.
  package enum Neighbors {
    /// Numbers of voting examples; odd, so that two labels do not tie. Not measured.
    package static let counts = [1, 3, 5, 9, 15, 31]
    /// A vote has the weight `exp(sharpness * cosine)`; 0 is an unweighted vote. Not measured.
    package static let sharpness: [Float] = [0, 5, 10, 20, 40]
    /// The maximum number of examples in the selection, each of which is compared with all. Not
    /// measured.
    package static let mostForChoosing = 500
  }

  /// Low-rank finetuning of the encoder (LoRA, Hu et al. 2021).
  package enum Finetuning {
    /// LoRA's rank, and alpha over rank: as in the comparison with peft (`Benchmarks/lora.py`),
    /// also the batch, learning rate and weight decay.
    package static let rank = 8
    package static let scale: Float = 2
    /// The comparison's LoRA has 20 epochs. Times through the examples in a trial.
    package static let epochs = 8
    package static let batch = 16
    package static let learningRate: Float = 1e-3
    package static let weightDecay: Float = 0.01
    /// Share of the steps over which the learning rate rises; it falls linearly from there. Not
    /// measured.
    package static let warmUp: Float = 0.1
    /// The minimum and maximum number of steps. 512 texts of SST-2 take 61 s on two threads.
    package static let steps = 100...600
    /// The approximate maximum number of tokens over all steps. Without it, long texts would take
    /// an hour.
    package static let allTokens = 400_000
    /// The share of the layers that are updated, from the top. The states of the others are
    /// computed once.
    package static let share: Float = 2 / 3
    /// The number of tokens in a pass if no text is longer, which bounds the memory. Not measured.
    package static let tokens = 512
    /// The number of tokens whose states are kept at most: 31 MB for MiniLM.
    package static let mostKeptTokens = 40_000
    /// After a trial on four fifths of the examples, training goes on with all of them: for a share
    /// of the steps, with a share of the learning rate. On SST-2 at 64 examples per label, 0.4 and
    /// the whole rate are within 0.1 points.
    package static let moreSteps = 0.25
    package static let moreRate: Float = 0.5
    /// How often held-out examples are looked at while a trial runs. It is not ended early: while
    /// the learning rate is high they get less likely for a while, and TREC at 64 examples per label
    /// loses 4 points if three looks in a row end the trial.
    package static let checks = 10
    /// The most held-out examples of a look. Not measured.
    package static let mostLookedAt = 256
    /// The minimum number of examples per label to choose a temperature. Not measured.
    package static let examplesPerLabel = 8
    /// One part of five is held out; all five would take five times as long. Not measured.
    package static let folds = 5
    /// Temperatures of the finetuned head. Not measured.
    package static let temperatures: [Float] = [0.5, 0.7, 1, 1.4, 2, 2.8, 4, 5.6]
    /// The temperature with the highest prior probability. Not measured.
    package static let expectedTemperature: Float = 2.8
    /// Examples of every label from which on the default tries it. At 64, on nine sets that nothing
    /// was chosen on, it is ahead of frozen states by 1.3 points on average. At 16 it is often
    /// better too, but the closed forms take a twentieth of LoRA's time there.
    package static let worthTrying = 32
    /// The shortest state that is normalised.
    package static let leastLength: Float = 1e-12
  }

  /// Learning one example after another.
  package enum Online {
    /// The number of examples that can be undone. Only their states are in the file: 24 KB for
    /// MiniLM.
    package static let undoable = 16
    /// The number of examples from which on hyperparameters are chosen. Not measured.
    package static let leastExamples = 8
    /// The hyperparameters before that. Anchors count for four examples, because a user who
    /// corrects an answer expects another answer. Not measured.
    package static let unchosen = LinearDiscriminant.Choice(
      priorCount: 4, shrinkageCount: 2048, logitScale: 0.04)
    /// A smaller grid than that of the discriminant, because each example is scored under all of it
    /// before it is learned. An example takes 15 ms in all. Not measured separately.
    package static let priorCounts: [Float] = [1, 4, 16]
    package static let shrinkageCounts: [Float] = [512, 4096]
    /// The factor by which the weight of an example in the choice fades with each further example.
    /// About 33 examples count. Not measured.
    package static let memory = 0.97
  }
}
