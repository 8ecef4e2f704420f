import VDSQCheckpoints
import VDSQFormat

/// A tensor of a checkpoint that a conversion leaves out.
package struct LeftOutTensor: Sendable, Equatable {
  /// What a tensor is for, where the model that is written does not need it.
  package enum Kind: String, Sendable, CaseIterable {
    /// Parts of a finetuned model, whose outputs are what the model was trained for.
    case classificationHead = "classification head"
    case regressionHead = "regression head"
    case taggingHead = "tagging head"
    case questionAnsweringHead = "question-answering head"
    case multipleChoiceHead = "multiple-choice head"
    case valueHead = "value head"
    case adapter
    case laterLayer = "layer that the configuration does not count"
    /// A tensor outside of the model that computes states.
    case unknownHead = "head of an unknown kind"
    /// Heads of pretraining.
    case languageModelHead = "language-model head"
    case nextSentenceHead = "next-sentence head"
    case discriminatorHead = "discriminator head"
    /// The transformation of the first token's state that pretraining and classification heads
    /// read.
    case pooler
    /// Tables that can be computed.
    case buffer
    /// A tensor within the model that the configuration does not declare.
    case undeclared = "not declared by the configuration"

    /// Whether the model was finetuned for its outputs, or with it.
    var isFinetuned: Bool {
      switch self {
      case .classificationHead, .regressionHead, .taggingHead, .questionAnsweringHead,
        .multipleChoiceHead, .valueHead, .adapter, .laterLayer, .unknownHead:
        true
      case .languageModelHead, .nextSentenceHead, .discriminatorHead, .pooler, .buffer,
        .undeclared:
        false
      }
    }

    /// Parts of the names of tensors, the first match counts.
    private static let parts: [(part: String, kind: Kind)] = [
      ("lora_", .adapter), ("adapter", .adapter), ("prompt_encoder", .adapter),
      ("ia3_", .adapter), ("hada_", .adapter), ("lokr_", .adapter), ("oft_", .adapter),
      ("seq_relationship", .nextSentenceHead), ("discriminator_predictions", .discriminatorHead),
      ("cls.predictions", .languageModelHead), ("lm_head", .languageModelHead),
      ("generator_", .languageModelHead), ("vocab_transform", .languageModelHead),
      ("vocab_layer_norm", .languageModelHead), ("vocab_projector", .languageModelHead),
      ("embed_out", .languageModelHead), ("qa_outputs", .questionAnsweringHead),
      ("multiple_choice_head", .multipleChoiceHead), ("v_head", .valueHead),
      ("value_head", .valueHead), ("crf", .taggingHead), ("regress", .regressionHead),
      ("pre_classifier", .classificationHead), ("classifier", .classificationHead),
      ("classification_head", .classificationHead), ("score.", .classificationHead),
      ("logits_proj", .classificationHead), ("sequence_summary", .classificationHead),
      ("pooler.", .pooler), ("inv_freq", .buffer), ("position_ids", .buffer),
      ("token_type_ids", .buffer), ("rope_freqs", .buffer), ("masked_bias", .buffer),
      ("attn.bias", .buffer), ("attention.bias", .buffer),
    ]

    /// The kind of a tensor by a part of its name; nil if no part is known.
    init?(tensor name: String) {
      func has(_ part: String) -> Bool {
        name.hasPrefix(part) || name.split(separator: ".").contains { $0.hasPrefix(part) }
          || (part.contains(".") && (name.hasSuffix(part) || name.contains(".\(part)")))
      }
      guard let kind = Self.parts.first(where: { has($0.part) })?.kind else { return nil }
      self = kind
    }
  }

  /// The name in the checkpoint's file.
  package let name: String
  package let kind: Kind
}
