import VDSQFormat

/// A metadata key of GGUF files, and what a conversion does with it.
///
/// A key of an architecture or of its tokenizer that is not in the table is refused, because it may
/// change a vector.
package struct GGUFKey: Sendable {
  /// What a conversion does with a key.
  package enum Use: Sendable, Equatable {
    /// The conversion follows the value, or refuses it where it reads it.
    case read
    /// Only these numbers are what the runtime computes (false counts as 0, true as 1), and empty
    /// texts and arrays. Others are refused by name.
    case only([Double])
    /// No value changes a vector.
    case ignored
  }

  /// The models that have the key.
  package enum Scope: Sendable {
    /// `causal`: causal models, and those with windows in some layers.
    /// `capped`: attention scores or logits are capped. `patterned`: some layers have a window.
    /// `local`: layers with a window have positions of their own. `dense`: Dense modules.
    case all, causal, rotary, capped, patterned, local, dense
  }

  /// The key; `*` stands for the name of the architecture. With a dot at the end, all keys that
  /// begin like this.
  package let name: String
  /// What a conversion does with it.
  package let use: Use
  /// The models in which it is read. In others it counts as `only([])`.
  package var scope = Scope.all

  private static func keys(_ use: Use, _ scope: Scope = .all, _ names: String...) -> [GGUFKey] {
    names.map { GGUFKey(name: $0, use: use, scope: scope) }
  }

  /// Every key that is known. Of several rows, an exact name precedes the beginning of a name.
  package static let all: [GGUFKey] =
    keys(
      .read, .all, "general.architecture", "general.type", "general.alignment", "split.no",
      "split.count", "split.tensors.count", "*.context_length", "*.embedding_length",
      "*.block_count", "*.feed_forward_length", "*.attention.head_count",
      "*.attention.head_count_kv", "*.attention.key_length", "*.attention.value_length",
      "*.attention.layer_norm_epsilon", "*.attention.layer_norm_rms_epsilon",
      "*.attention.causal", "*.pooling_type")
    + keys(
      .read, .rotary, "*.rope.freq_base", "*.rope.dimension_count", "*.rope.scale_linear",
      "*.rope.scaling.type", "*.rope.scaling.factor", "*.rope.scaling.attn_factor",
      "*.rope.scaling.original_context_length", "*.rope.scaling.yarn_attn_factor",
      "*.rope.scaling.yarn_beta_fast", "*.rope.scaling.yarn_beta_slow")
    + keys(.read, .causal, "*.attention.sliding_window")
    + keys(.read, .capped, "*.attn_logit_softcapping", "*.final_logit_softcapping")
    + keys(.read, .patterned, "*.attention.sliding_window_pattern")
    + keys(.read, .local, "*.rope.freq_base_swa")
    + keys(
      .read, .dense, "*.dense_2_feat_out", "*.dense_2_feat_in", "*.dense_3_feat_in",
      "*.dense_3_feat_out")
    + keys(
      .only([0]), .all, "*.expert_count", "*.expert_used_count", "*.expert_shared_count",
      "*.expert_feed_forward_length", "*.expert_shared_feed_forward_length",
      "*.expert_group_count", "*.expert_group_used_count", "*.expert_weights_scale",
      "*.expert_weights_norm", "*.expert_gating_func", "*.moe_every_n_layers",
      "*.interleave_moe_layer_step", "*.leading_dense_block_count", "*.nextn_predict_layers",
      "*.use_parallel_residual",
      "*.attention.clamp_kqv", "*.attention.max_alibi_bias", "*.attention.q_lora_rank",
      "*.attention.kv_lora_rank", "*.attention.relative_buckets_count", "*.attention.scale",
      "*.attention.shared_kv_layers", "*.attention.temperature_length",
      "*.attention.temperature_scale", "*.classifier.output_labels",
      "*.embedding_length_out", "*.embedding_length_per_layer_input", "*.swin_norm",
      "*.rope.scaling.alpha", "*.rope.scaling.yarn_log_multiplier", "*.rope.dimension_sections",
      "*.rope.dimension_count_swa", "*.n_deepstack_layers")
    // Absent means 1 for yarn, and a negative number means absent.
    + keys(.only([-1, 1]), .rotary, "*.rope.scaling.yarn_ext_factor")
    + keys(
      .only([0, 1]), .all, "*.logit_scale", "*.embedding_scale", "*.residual_scale",
      "*.attention.output_scale")
    // 2 is the version of the block types that are read.
    + keys(.only([2]), .all, "general.quantization_version")
    + keys(
      .ignored, .all, "general.", "*.vocab_size", "*.tensor_data_layout",
      "*.rope.scaling.finetuned", "*.decoder_start_token_id")
    + keys(
      .read, .all, "tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.ggml.tokens",
      "tokenizer.ggml.token_type", "tokenizer.ggml.scores", "tokenizer.ggml.merges",
      "tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id",
      "tokenizer.ggml.unknown_token_id", "tokenizer.ggml.seperator_token_id",
      "tokenizer.ggml.separator_token_id", "tokenizer.ggml.cls_token_id",
      "tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_eos_token",
      "tokenizer.ggml.add_sep_token", "tokenizer.ggml.add_space_prefix",
      "tokenizer.ggml.normalizer.lowercase", "tokenizer.ggml.normalizer.strip_accents",
      "tokenizer.ggml.remove_extra_whitespaces", "tokenizer.ggml.precompiled_charsmap",
      "tokenizer.ggml.treat_whitespace_as_suffix")
    + keys(
      .ignored, .all, "tokenizer.ggml.token_type_count", "tokenizer.ggml.padding_token_id",
      "tokenizer.ggml.mask_token_id", "tokenizer.ggml.eot_token_id",
      "tokenizer.ggml.eom_token_id", "tokenizer.ggml.fim_pre_token_id",
      "tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.fim_mid_token_id",
      "tokenizer.ggml.fim_pad_token_id", "tokenizer.ggml.fim_rep_token_id",
      "tokenizer.ggml.fim_sep_token_id", "tokenizer.ggml.prefix_token_id",
      "tokenizer.ggml.suffix_token_id", "tokenizer.ggml.middle_token_id",
      "tokenizer.ggml.eos_token_ids", "tokenizer.ggml.suppress_tokens", "tokenizer.chat_template",
      "tokenizer.chat_templates", "tokenizer.chat_template.", "tokenizer.huggingface.json")

  /// Checks every key of a file.
  ///
  /// - Throws: `badInput`, naming a key with a value that the runtime does not compute.
  static func check(_ file: GGUF, _ architecture: GGUFArchitecture) throws(VDSQError) {
    let prefix = "\(architecture.name)."
    for (key, value) in file.metadata.sorted(by: { ByteString($0.key) < ByteString($1.key) }) {
      let isOwn = key.startsWithBytes(of: prefix)
      let name = isOwn ? "*.\(Substring(key.utf8.dropFirst(prefix.utf8.count)))" : key
      let known =
        all.first { $0.name.hasSameBytes(as: name) }
        ?? all.first { $0.name.utf8.last == UInt8(ascii: ".") && name.startsWithBytes(of: $0.name) }
      guard let known else {
        // Other programs keep notes of theirs under other names.
        guard isOwn || key.startsWithBytes(of: "tokenizer.") else { continue }
        throw .badInput(
          "\(file.file.path): metadata \(key) is not known, and may change what the model computes")
      }
      guard known.allows(value, architecture) else {
        throw .badInput("\(file.file.path): metadata \(key) \(value.brief) is not supported")
      }
    }
  }

  private func allows(_ value: GGUF.Value, _ architecture: GGUFArchitecture) -> Bool {
    let isInScope =
      switch scope {
      case .all: true
      case .causal: architecture.isCausal || architecture.features.contains(.patterned)
      case .rotary: architecture.isRotary
      case .capped, .patterned, .local, .dense: architecture.features.contains(scope)
      }
    switch isInScope ? use : .only([]) {
    case .read, .ignored: return true
    case .only(let numbers): return value.numbers?.allSatisfy(numbers.contains) ?? false
    }
  }
}

extension GGUF.Value {
  /// The numbers of a value, of which an empty text has none; nil for texts.
  var numbers: [Double]? {
    switch self {
    case .integer(let n): [Double(n)]
    case .number(let x): [x]
    case .boolean(let flag): [flag ? 1 : 0]
    case .text(let text): text.isEmpty ? [] : nil
    case .integers(let all): all.map(Double.init)
    case .numbers(let all): all
    case .texts(let all): all.isEmpty ? [] : nil
    }
  }

  /// The value in a message.
  fileprivate var brief: String {
    switch self {
    case .integer(let n): "\(n)"
    case .number(let x): "\(Float(x))"
    case .boolean(let flag): "\(flag)"
    case .text(let text): text.utf8.count <= 40 ? text : "(a text)"
    case .integers(let all): all.count <= 4 ? "\(all)" : "[...]"
    case .numbers(let all): all.count <= 4 ? "\(all)" : "[...]"
    case .texts: "[...]"
    }
  }
}
