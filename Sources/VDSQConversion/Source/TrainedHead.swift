import VDSQCheckpoints
import VDSQFormat

/// The parts of a checkpoint that a model was finetuned with, and that are not converted: a head,
/// an adapter, layers that the configuration does not count.
struct TrainedHead {
  /// What is left of the model without its head.
  enum Rest {
    /// A bidirectional encoder, or a causal decoder with the head of a language model.
    case model
    /// A causal decoder whose head read the state of a text's last token.
    case lastToken
    /// A causal decoder whose head read the states of all tokens.
    case nothing
  }

  /// The tensors, sorted by name; not empty.
  let tensors: [LeftOutTensor]
  private let folder: Checkpoint
  private let architectureName: String?

  /// - Parameter used: names of tensors that are converted.
  /// - Returns: nil if the checkpoint has no such parts.
  init?(_ folder: Checkpoint, _ kinds: TensorKinds, except used: Set<String>) {
    tensors = folder.tensors.values.map { kinds.leftOut($0.name) }
      .filter { $0.kind.isFinetuned && !used.contains($0.name) }.sorted { $0.name < $1.name }
    guard !tensors.isEmpty else { return nil }
    self.folder = folder
    architectureName = folder.config["architectures"]?.elements?.first?.text
  }

  /// What is left of a model without the head.
  func rest(_ family: Architecture.Family) -> Rest {
    let kinds = tensors.map(\.kind)
    let isOfTexts = kinds.contains { $0 == .classificationHead || $0 == .regressionHead }
    let isOfTokens = kinds.contains { $0 == .questionAnsweringHead || $0 == .taggingHead }
    guard family == .causalDecoder, isOfTexts || isOfTokens else { return .model }
    let name = architectureName ?? ""
    let isTokenClassifier =
      name.hasSuffix("ForTokenClassification")
      || !name.hasSuffix("ForSequenceClassification")
        && tensors.contains { $0.name.hasSuffix("score.bias") }
    return isOfTokens || isTokenClassifier ? .nothing : .lastToken
  }

  /// Refuses to lose the head, or says that it is lost.
  ///
  /// - Parameters:
  ///   - rest: what is left of the model.
  ///   - dropsHead: whether the head may be lost.
  /// - Returns: a warning.
  /// - Throws: `badInput`, naming the head.
  func check(_ rest: Rest, dropsHead: Bool) throws(VDSQError) -> String {
    let model = architectureName.map { "the \($0)" } ?? "the model"
    let what = "a trained \(tensors[0].kind.rawValue) (\(listing)\(labels))"
    let refusal =
      "\(folder.path): \(model) has \(what), which is not converted; its vectors alone are not what "
      + "it was trained for"
    if case .nothing = rest {
      throw .badInput(
        "\(refusal), and without the head a text has no vector: the head read the state of each token"
      )
    }
    guard dropsHead else { throw VDSQError(.badInput, refusal, .trainedHead) }
    let vectors =
      if case .lastToken = rest { "vectors are states of the last token, which it read, and " } else
      {
        "the vectors are "
      }
    return "\(folder.path): left out \(what); \(vectors)not what \(model) was trained for"
  }

  private var listing: String {
    let names = tensors.map(\.name)
    return names.prefix(4).joined(separator: ", ")
      + (names.count > 4 ? " and \(names.count - 4) more" : "")
  }

  private var labels: String {
    let labels = (folder.config["id2label"]?.members ?? [])
      .sorted { (Int($0.key) ?? 0) < (Int($1.key) ?? 0) }.compactMap(\.value.text)
    guard !labels.isEmpty else { return "" }
    return ", for " + labels.prefix(5).joined(separator: ", ") + (labels.count > 5 ? ", ..." : "")
  }
}
