import VDSQ

extension VDSQError {
  /// The message with the member of the options, or the argument, that its setting is given by.
  var messageWithMember: String {
    switch setting {
    case .threads: "threads: \(message)"
    case .maximumTokens: "maximum_tokens: \(message)"
    case .memoryPolicy: "memory_policy: \(message)"
    case .memoryBudget: "memory_budget: \(message)"
    case .temperature: "temperature: \(message)"
    case .template: "text_template: \(message)"
    case .referenceTexts: "reference_texts: \(message)"
    case .unlabelledTexts: "unlabelled_texts: \(message)"
    case .outOfScope: "out_of_scope: \(message)"
    case .prompt: "prompt: \(message)"
    case .dimensions: "dimensions: \(message)"
    case .method: "method: \(message)"
    case .replacesFiles: "\(message); replaces = 1 replaces it"
    case .bases: "bases: \(message)"
    case .lens: "view: \(message)"
    case .sequenceLength, .coarseRows, .keptTensors, .ignoredTensors, .trainedHead, .labels,
      .exampleFields, .abstention, .texts, .passedFields, nil:
      message
    }
  }
}
