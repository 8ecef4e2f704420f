import VDSQCheckpoints
import VDSQFormat

/// A tensor of a checkpoint that a conversion leaves out.
package struct LeftOutTensor: Sendable, Equatable {
  /// What a tensor is for, where the model that is written does not need it.
  package enum Kind: String, Sendable, CaseIterable {
    /// The head of a finetuned model, whose outputs are what the model was trained for.
    case classificationHead = "classification head"
    case questionAnsweringHead = "question-answering head"
    /// Heads of pretraining.
    case languageModelHead = "language-model head"
    case nextSentenceHead = "next-sentence head"
    case discriminatorHead = "discriminator head"
    /// The transformation of the first token's state that pretraining and classification heads read.
    case pooler
    /// Tables that can be computed.
    case buffer
    case other

    /// Whether the head is what the model was finetuned for.
    var isFinetuned: Bool { self == .classificationHead || self == .questionAnsweringHead }

    /// Parts of the names of tensors, the first match counts.
    private static let parts: [(part: String, kind: Kind)] = [
      ("seq_relationship", .nextSentenceHead), ("discriminator_predictions", .discriminatorHead),
      ("cls.predictions", .languageModelHead), ("lm_head", .languageModelHead),
      ("generator_", .languageModelHead), ("vocab_transform", .languageModelHead),
      ("vocab_layer_norm", .languageModelHead), ("vocab_projector", .languageModelHead),
      ("embed_out", .languageModelHead), ("qa_outputs", .questionAnsweringHead),
      ("pre_classifier", .classificationHead), ("classifier", .classificationHead),
      ("classification_head", .classificationHead), ("score.", .classificationHead),
      ("logits_proj", .classificationHead), ("sequence_summary", .classificationHead),
      ("pooler.", .pooler), ("inv_freq", .buffer), ("position_ids", .buffer),
      ("token_type_ids", .buffer), ("rope_freqs", .buffer), ("masked_bias", .buffer),
      ("attn.bias", .buffer), ("attention.bias", .buffer),
    ]

    init(tensor name: String) {
      func has(_ part: String) -> Bool {
        name.hasPrefix(part) || name.split(separator: ".").contains { $0.hasPrefix(part) }
          || (part.contains(".") && (name.hasSuffix(part) || name.contains(".\(part)")))
      }
      self = Self.parts.first { has($0.part) }?.kind ?? .other
    }
  }

  /// The name in the checkpoint's file.
  package let name: String
  package let kind: Kind

  init(_ name: String) {
    self.name = name
    kind = Kind(tensor: name)
  }
}

extension ModelSource {
  /// The checkpoint's tensors that are not used, sorted by name.
  var leftOut: [LeftOutTensor] {
    let used = used
    return folder.tensors.values.map(\.name).filter { !used.contains($0) }.sorted()
      .map { LeftOutTensor($0) }
  }

  /// Refuses to lose the head that a model was finetuned with, or says that it is lost.
  ///
  /// - Parameter dropsHead: whether the head may be lost.
  /// - Returns: a warning, or nil if there is no such head.
  /// - Throws: `badInput`, naming the head.
  func checkHead(dropsHead: Bool) throws(VDSQError) -> String? {
    let head = leftOut.filter { $0.kind.isFinetuned }
    guard let first = head.first else { return nil }
    let name = folder.config["architectures"]?.elements?.first?.text
    let model = name.map { "the \($0)" } ?? "the model"
    let labels = (folder.config["id2label"]?.members ?? [])
      .sorted { (Int($0.key) ?? 0) < (Int($1.key) ?? 0) }.compactMap(\.value.text)
    let names =
      labels.isEmpty
      ? "" : ", for " + labels.prefix(5).joined(separator: ", ") + (labels.count > 5 ? ", ..." : "")
    let tensors = head.map(\.name).joined(separator: ", ")
    let what = "a trained \(first.kind.rawValue) (\(tensors)\(names))"
    guard dropsHead else {
      throw VDSQError(
        .badInput,
        "\(folder.path): \(model) has \(what), which is not converted; its vectors alone are not what "
          + "it was trained for", .trainedHead)
    }
    return
      "\(folder.path): left out \(what); the vectors are not what \(model) was trained for"
  }
}
