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
