import VDSQCheckpoints
import VDSQFormat

/// The head of a checkpoint that transformers' `...ForSequenceClassification` or
/// `...ForTokenClassification` loads.
struct OutputHeadSource {
  /// The head as metadata describe it.
  let description: OutputHead
  /// Its tensors: `classifier.0.weight` and so on.
  let tensors: [ModelSource.Tensor]

  /// - Parameter activation: the name of a cross-encoder's function; nil if it names none.
  /// - Returns: nil if `architectures` names no such model, or the checkpoint lacks a tensor of its
  ///   head.
  /// - Throws: `badInput` if a tensor has another shape than the configuration says, or a setting
  ///   of the head is not supported.
  init?(
    _ folder: Checkpoint, _ names: CheckpointArchitecture, activation: JSON?,
    _ resolver: TensorResolver
  ) throws(VDSQError) {
    let model = folder.config["architectures"]?.elements?.first?.text ?? ""
    let readsTexts = model.hasSuffix("ForSequenceClassification")
    guard readsTexts || model.hasSuffix("ForTokenClassification"),
      let head = readsTexts ? names.textHead : names.tokenHead,
      head.layers.allSatisfy({ folder.tensors["\($0.name).weight"] != nil })
    else { return nil }
    let labels = try Self.labels(resolver.config)
    var tensors: [ModelSource.Tensor] = []
    var modules: [OutputModule] = []
    let hidden = resolver.size(.hidden)
    for (i, layer) in head.layers.enumerated() {
      let rows = i == head.layers.count - 1 ? labels.count : hidden
      var isNorm = false
      switch layer {
      case .linear(_, let activation): modules.append(.dense(activation))
      case .norm:
        modules.append(.layerNorm)
        isNorm = true
      }
      let shape = isNorm ? [rows] : [rows, hidden]
      let weight = try resolver.find("\(layer.name).weight", shape: shape)
      tensors.append(
        ModelSource.Tensor(
          rows: RowSource(
            name: "classifier.\(i).weight", weight.reshaped(columns: isNorm ? 1 : hidden)),
          role: isNorm ? .vector : .head, shape: shape))
      if folder.tensors["\(layer.name).bias"] != nil {
        let bias = try resolver.find("\(layer.name).bias", shape: [rows])
        tensors.append(
          ModelSource.Tensor(
            rows: RowSource(name: "classifier.\(i).bias", bias.reshaped(columns: 1)),
            role: .vector, shape: [rows]))
      }
    }
    self.tensors = tensors
    description = OutputHead(
      reading: readsTexts ? .texts : .tokens,
      function: readsTexts ? try Self.function(resolver.config, labels: labels.count) : .softmax,
      rankingFunction: readsTexts
        ? try Self.rankingFunction(activation, labels.count, resolver.config.path) : nil,
      modules: modules, labels: labels)
  }

  /// The labels of the logits, as transformers has them.
  private static func labels(_ config: ConfigReader) throws(VDSQError) -> [String] {
    guard let members = config["id2label"]?.members else {
      let count = try config.size("num_labels", OutputHead.mostLabels, default: 2)
      return (0..<count).map { "LABEL_\($0)" }
    }
    var labels = [String?](repeating: nil, count: members.count)
    for member in members {
      guard let id = Int(member.key), labels.indices.contains(id), labels[id] == nil,
        let label = member.value.text ?? member.value.integer.map({ "\($0)" })
      else {
        throw .badInput(
          "\(config.path): id2label: \(member.key) is no number of a label with a name")
      }
      // These would break the lines of answers.
      guard !label.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
        throw .badInput("\(config.path): id2label: \(member.key) has a control character")
      }
      labels[id] = label
    }
    guard !labels.isEmpty, labels.count <= OutputHead.mostLabels else {
      throw .badInput("\(config.path): id2label has \(labels.count) labels")
    }
    return labels.map { $0! }
  }

  /// The function of transformers' pipeline for texts.
  private static func function(
    _ config: ConfigReader, labels: Int
  ) throws(VDSQError) -> OutputHead.Function {
    switch config["problem_type"]?.text {
    case "regression": .identity
    case "multi_label_classification": .sigmoid
    case nil where config["problem_type"] == nil, "single_label_classification":
      labels == 1 ? .sigmoid : .softmax
    default:
      throw .badInput(
        "\(config.path): problem_type \(config["problem_type"]!.brief) is not supported; supported: "
          + "regression, single_label_classification, multi_label_classification")
    }
  }

  /// The function of sentence-transformers' CrossEncoder; nil for more than one logit.
  private static func rankingFunction(
    _ named: JSON?, _ labels: Int, _ path: String
  ) throws(VDSQError) -> OutputHead.Function? {
    guard labels == 1 else { return nil }
    guard let named, !named.isNull else { return .sigmoid }
    switch named.text?.split(separator: ".").last {
    case "Identity": return .identity
    case "Sigmoid": return .sigmoid
    default:
      throw .badInput(
        "\(path): activation function \(named.brief) of a cross-encoder is not supported; "
          + "supported: Identity, Sigmoid")
    }
  }
}
