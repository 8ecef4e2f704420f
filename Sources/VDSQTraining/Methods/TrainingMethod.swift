package import VDSQFormat
import VDSQInference
package import VDSQSemantics

/// How an adapter is trained on examples.
///
/// The raw value is the method's name on the command line. A method registers here, as a case and
/// its definition; the definition itself stands in a file of its own in this folder:
///
///     extension TrainingMethod.Definition {
///       static let centroid = Self(summary: "the nearest mean") {
///         (examples, context, progress) throws(VDSQError) in ...
///       }
///     }
public enum TrainingMethod: String, CaseIterable, Sendable {
  /// Linear discriminant analysis stacked with logistic regression and kernel ridge regression.
  /// With enough examples and memory, it also tries finetuning.
  case joint
  /// `joint` without finetuning.
  case frozen
  /// Linear discriminant analysis alone, on the model's vector without intermediate features.
  case prior
  /// Semantic calibration (arXiv 2401.16184) of rank 64.
  case calibration
  /// Semantic calibration of rank 8.
  case lowRank = "low-rank"
  /// k-nearest-neighbour classification of hidden states.
  case knn
  /// Low-rank updates of a sentence encoder's weights (LoRA), whatever the number of examples.
  case finetune

  /// The method's definition.
  package var definition: Definition {
    switch self {
    case .joint: .joint
    case .frozen: .frozen
    case .prior: .prior
    case .calibration: .calibration
    case .lowRank: .lowRank
    case .knn: .knn
    case .finetune: .finetune
    }
  }

  /// One line for a help text.
  public var summary: String { definition.summary }

  /// Every method's name with its summary, for a help text: `joint (...), frozen (...)`.
  public static var summaries: String {
    allCases.map { "\($0.rawValue) (\($0.summary))" }.joined(separator: ", ")
  }
}

extension TrainingMethod {
  /// Whether a method changes the encoder's own weights.
  package enum Finetuning: Sendable {
    case never
    /// If there are enough examples and memory.
    case whereWorthwhile
    case always
  }

  /// The definition of a method, one for each case.
  package struct Definition: Sendable {
    /// Trains an adapter.
    ///
    /// - Throws: `usage` if there are no examples, `internalFault` if their states are not finite.
    package typealias Train =
      @Sendable (
        _ examples: Examples, _ context: TrainingContext, _ progress: ProgressSpan
      ) throws(VDSQError) -> Adapter

    package let summary: String
    /// Whether intermediate features are appended to the model's vector.
    package let usesIntermediateFeatures: Bool
    /// Whether texts without labels take part.
    package let usesUnlabelledTexts: Bool
    package let finetuning: Finetuning
    package let train: Train

    package init(
      summary: String, usesIntermediateFeatures: Bool = false,
      usesUnlabelledTexts: Bool = false, finetuning: Finetuning = .never,
      train: @escaping Train
    ) {
      self.summary = summary
      self.usesIntermediateFeatures = usesIntermediateFeatures
      self.usesUnlabelledTexts = usesUnlabelledTexts
      self.finetuning = finetuning
      self.train = train
    }
  }
}
