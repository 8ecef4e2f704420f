import VDSQ
import VDSQReports

extension VDSQError {
  /// The error with the option that its setting is given by.
  var commandLineMessage: String {
    switch setting {
    case .threads: "--threads: \(message)"
    case .maximumTokens: "--max-tokens: \(message)"
    case .sequenceLength: "--tokens: \(message)"
    case .memoryPolicy: "--memory-policy: \(message)"
    case .memoryBudget: "--memory-budget: \(message)"
    case .temperature: "--temperature: \(message)"
    case .template: "--template: \(message)"
    case .referenceTexts: "--calibrate-on: \(message)"
    case .unlabelledTexts: "--unlabelled: \(message)"
    case .passedFields: "--pass: \(message)"
    case .prompt: "--prompt: \(message)"
    case .dimensions: "--dimensions: \(message)"
    case .texts: "--second-field: \(message)"
    case .abstention: "--abstain: \(message)"
    case .coarseRows: "--coarse: \(message)"
    case .lens: "--tuned: \(message)"
    case .bases: "--bases-method: \(message)"
    case .keptTensors: "--keep: \(message)"
    case .outOfScope: "--out-of-scope: \(message)"
    case .method: "--method: \(message)"
    case .replacesFiles: "\(message); --force replaces it"
    case .ignoredTensors:
      category == .usage
        ? "--ignore: \(message)" : "\(message); --ignore PATTERN leaves tensors out"
    case .trainedHead: "\(message); --encoder-only makes an encoder without it"
    case .labels:
      "\(message); --add-labels adds \(category == .usage ? "to them" : "it")"
    case .exampleFields: "\(message); --text-field and --label-field say others"
    case nil: message
    }
  }
}

extension TrainingProgress {
  convenience init(encoding path: String, quiet: Bool) {
    self.init(encoding: path, quiet: quiet, message: \.commandLineMessage)
  }
}
