import VDSQCheckpoints

extension SettingKeys {
  /// The keys of `config.json` that all architectures have in common, and those of an architecture.
  package static func config(_ own: [SettingKey]) -> SettingKeys {
    SettingKeys(file: "config.json", keys: common + own)
  }

  package static let common: [SettingKey] =
    SettingKey.followed(
      "model_type", "vocab_size", "tie_word_embeddings", "tokenizer_class", "quantization_config",
      "auto_map")
    + SettingKey.absent(
      "is_encoder_decoder", "add_cross_attention", "tie_encoder_decoder", "pruned_heads",
      "cross_attention_hidden_size")
    + SettingKey.harmless(
      "_name_or_path", "name_or_path", "transformers_version", "torch_dtype", "dtype",
      "use_cache", "initializer_range", "initializer_factor", "gradient_checkpointing",
      "output_attentions", "output_hidden_states", "return_dict", "use_return_dict",
      "output_past", "torchscript", "use_bfloat16", "chunk_size_feed_forward",
      "attn_implementation", "_attn_implementation", "_attn_implementation_autoset",
      "_attn_implementation_internal", "_commit_hash", "use_flash_attn", "compression_config",
      "sbert_ce_default_activation_function", "language", "languages", "model_name",
      "sentence_transformers", "is_composition",
      "keys_to_ignore_at_inference", "transformers.js_config", "onnx",
      // Dropout is for training.
      "attention_probs_dropout_prob", "hidden_dropout_prob", "attention_dropout", "hidden_dropout",
      "dropout", "attn_pdrop", "embd_pdrop", "resid_pdrop", "embedding_dropout", "embd_dropout",
      "layerdrop",
      // Heads. `OutputHeadSource` reads those of texts and tokens; the first two are named where
      // another would be lost.
      "architectures", "id2label", "label2id", "num_labels", "_num_labels", "problem_type",
      "classifier_dropout",
      "classifier_activation", "seq_classif_dropout", "qa_dropout", "finetuning_task",
      "task_specific_params", "summary_activation", "summary_first_dropout",
      "summary_last_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj",
      "directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers",
      "pooler_size_per_head", "pooler_type", "hidden_size_per_layer_input", "cls_token_id",
      "mask_token_id", "unk_token_id",
      // Tokens of generation and of padding. The tokenizer frames texts.
      "pad_token_id", "bos_token_id", "eos_token_id", "sep_token_id", "decoder_start_token_id",
      "forced_bos_token_id", "forced_eos_token_id", "bos_token", "eos_token", "pad_token",
      "prefix", "suppress_tokens", "begin_suppress_tokens", "bad_words_ids",
      // Generation.
      "max_length", "min_length", "max_new_tokens", "do_sample", "early_stopping", "num_beams",
      "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p",
      "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
      "encoder_no_repeat_ngram_size", "num_return_sequences", "output_scores",
      "return_dict_in_generate", "remove_invalid_values", "exponential_decay_length_penalty",
      "tf_legacy_loss")

  /// The keys that make an encoder something else.
  package static let encoder: [SettingKey] =
    SettingKey.fixed("is_causal", .bool(false)) + SettingKey.absent("is_decoder")

  /// The keys that make a causal decoder something else, or add to its layers.
  package static let decoder: [SettingKey] =
    SettingKey.fixed("is_causal", .bool(true)) + SettingKey.harmless("is_decoder")
    + SettingKey.absent(
      "use_bidirectional_attention", "bidirectional", "is_bidirectional", "attn_logit_softcapping",
      "final_logit_softcapping", "query_pre_attn_scalar", "attention_multiplier",
      "embedding_multiplier", "residual_multiplier", "logits_scaling", "scale_embedding",
      "use_qk_norm", "qk_layernorm", "clip_qkv", "num_experts", "num_local_experts",
      "num_experts_per_tok", "no_rope_layers", "no_rope_layer_interval", "attention_chunk_size",
      "attn_temperature_tuning", "rope_local_base_freq", "rope_interleaved", "alibi",
      "use_parallel_embedding", "layer_scale", "attention_sink_size")
}
