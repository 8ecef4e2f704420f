import VDSQInference
import VDSQSemantics

/// The texts of a request on their way through the engine.
final class Job: @unchecked Sendable {
  /// What the model reads.
  enum Input: Sendable {
    case text([UInt8])
    case pair([UInt8], [UInt8])
    case ids([Int32])
  }

  /// How texts are classified.
  struct Classification: Sendable {
    enum Choice: Sendable {
      case labels(LabelRequest)
      case adapter(String)
      /// The head that the model was trained with.
      case own
    }

    var choice: Choice
    /// The number of labels to rank.
    var top = 1
    var temperature: Float?
    /// Whether states are kept, for explanations.
    var keepsStates = false
  }

  enum Work: Sendable {
    case vectors(prompt: String?)
    case classify(Classification)
    /// The logit of pairs, by a cross-encoder.
    case rank
    /// Anything that needs the engine for itself, between two passes.
    case alone(@Sendable (InferenceEngine.State) -> Void)
  }

  struct Answer: Sendable {
    let outcomes: [Outcome]
    /// What classified the texts, for explanations.
    var classifier: Classifier?
    var adapter: Adapter?
    /// How the encoder was run.
    var encoderOptions = TextEncoder.Options()
  }

  /// The model's name.
  let model: String
  let inputs: [Input]
  let work: Work
  /// Whether texts that are too long are cut; otherwise they fail the job.
  let truncates: Bool
  let finish: @Sendable (Result<Answer, RequestError>) -> Void

  // The engine's own.
  /// When it was submitted.
  var arrival: Int64 = 0
  /// The next sequence to add to a pass.
  var next = 0
  /// The number of sequences whose states are known.
  var done = 0
  var outcomes: [Outcome] = []
  var failure: RequestError?
  var classifier: ServedClassifier?
  /// The model as it was when the first text was read, whatever is reloaded in between.
  var served: ServedModel?
  /// The logits of a text's hypotheses so far, its tokens, and whether it was cut.
  var hypotheses: (logits: [Float], tokens: Int, isCut: Bool) = ([], 0, false)
  // Guarded by the engine's monitor.
  var isCancelled = false

  init(
    model: String, inputs: [Input], work: Work, truncates: Bool,
    finish: @escaping @Sendable (Result<Answer, RequestError>) -> Void
  ) {
    (self.model, self.inputs, self.work) = (model, inputs, work)
    (self.truncates, self.finish) = (truncates, finish)
  }

  /// Work between two passes.
  convenience init(alone body: @escaping @Sendable (InferenceEngine.State) -> Void) {
    self.init(model: "", inputs: [], work: .alone(body), truncates: true) { _ in }
  }
}

/// The labels of a request.
struct LabelRequest: Sendable {
  var labels: [Label] = []
  var template: Template?
  /// Whether labels are hypotheses for a model of natural language inference.
  var usesEntailment = false
  var isMultiLabel = false

  /// Equal for equal requests, and for no others.
  var key: String {
    var key = "\(usesEntailment ? 1 : 0)\(isMultiLabel ? 1 : 0)\(template?.source ?? "")\u{1E}"
    for label in labels {
      key += label.name
      for word in label.words { key += "\u{1F}" + word }
      key += "\u{1E}"
    }
    return key
  }
}
