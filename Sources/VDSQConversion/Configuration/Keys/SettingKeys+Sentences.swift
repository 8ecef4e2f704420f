import VDSQCheckpoints

extension SettingKeys {
  /// The keys of a module in `modules.json`.
  package static let module = SettingKeys(
    file: "modules.json",
    keys: SettingKey.followed("type", "path") + SettingKey.harmless("idx", "name", "kwargs"))

  /// The keys of a pooling module's `config.json`.
  package static let pooling = SettingKeys(
    file: "1_Pooling/config.json",
    keys: SettingKey.followed(
      "pooling_mode", "pooling_mode_cls_token", "pooling_mode_max_tokens",
      "pooling_mode_mean_tokens", "pooling_mode_mean_sqrt_len_tokens",
      "pooling_mode_weightedmean_tokens", "pooling_mode_lasttoken", "include_prompt")
      + SettingKey.harmless("word_embedding_dimension", "embedding_dimension"))

  /// The keys of a linear module's `config.json`.
  package static let dense = SettingKeys(
    file: "2_Dense/config.json",
    keys: SettingKey.followed("in_features", "out_features", "activation_function", "bias")
      + SettingKey.absent("use_residual")
      + SettingKey.fixed("module_input_name", .string("sentence_embedding"))
      + SettingKey.fixed("module_output_name", .string("sentence_embedding")))

  /// The keys of a module of layer normalization.
  package static let layerNorm = SettingKeys(
    file: "2_LayerNorm/config.json", keys: SettingKey.followed("dimension"))

  /// The keys of a normalizing module's `config.json`.
  package static let normalize = SettingKeys(
    file: "2_Normalize/config.json",
    keys: SettingKey.fixed("module_input_name", .string("sentence_embedding"))
      + SettingKey.fixed("module_output_name", .string("sentence_embedding")))

  /// The keys of the transformer's `sentence_bert_config.json`.
  package static let transformer = SettingKeys(
    file: "sentence_bert_config.json",
    keys: SettingKey.followed(
      "max_seq_length", "do_lower_case", "modality_config", "model_args", "model_kwargs",
      "tokenizer_args", "processor_kwargs", "config_args", "config_kwargs")
      + SettingKey.fixed(
        "transformer_task", .string("feature-extraction"), .string("sequence-classification"))
      + SettingKey.fixed("module_output_name", .string("token_embeddings"), .string("scores"))
      + SettingKey.absent(
        "processing_kwargs", "query_length", "document_length", "query_expansion",
        "tokenizer_name_or_path")
      + SettingKey.harmless("unpad_inputs", "backend"))

  /// The keys of `config_sentence_transformers.json`.
  package static let sentenceTransformers = SettingKeys(
    file: "config_sentence_transformers.json",
    keys: SettingKey.followed("prompts", "default_prompt_name")
      + SettingKey.fixed("model_type", .string("SentenceTransformer"), .string("CrossEncoder"))
      + SettingKey.absent("truncate_dim")
      + SettingKey.harmless(
        "__version__", "similarity_fn_name", "requirements",
        // That of a cross-encoder, whose head follows it.
        "activation_fn"))
}
