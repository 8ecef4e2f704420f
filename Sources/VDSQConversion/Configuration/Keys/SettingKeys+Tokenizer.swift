import VDSQCheckpoints

extension SettingKeys {
  /// The keys of `tokenizer_config.json`. Where `tokenizer.json` exists, transformers takes most of
  /// them from there.
  package static let tokenizer = SettingKeys(
    file: "tokenizer_config.json",
    keys: SettingKey.followed(
      "tokenizer_class", "model_max_length", "do_lower_case", "strip_accents",
      "tokenize_chinese_chars", "add_prefix_space", "legacy", "split_by_punct",
      "added_tokens_decoder",
      "additional_special_tokens", "extra_special_tokens", "bos_token", "eos_token", "unk_token",
      "sep_token", "pad_token", "cls_token", "mask_token", "auto_map")
      + SettingKey.fixed("truncation_side", .string("right"))
      + SettingKey.absent("split_special_tokens")
      + SettingKey.harmless(
        // What follows the text is in tokenizer.json, and transformers goes by that.
        "add_bos_token", "add_eos_token", "add_special_tokens", "padding_side", "padding",
        "truncation", "chat_template", "clean_up_tokenization_spaces",
        "use_default_system_prompt", "sp_model_kwargs", "spaces_between_special_tokens", "errors",
        "trim_offsets", "model_input_names", "name_or_path", "special_tokens_map_file",
        "tokenizer_file", "vocab_file", "merges_file", "do_basic_tokenize", "never_split",
        "max_length", "max_len", "stride", "truncation_strategy", "pad_to_multiple_of",
        "pad_token_type_id", "pad_token_id", "backend", "is_local", "local_files_only", "use_fast",
        "from_slow", "processor_class", "return_token_type_ids", "wordpieces_prefix", "lowercase",
        "handle_chinese_chars", "clean_text", "unk_id", "bos_id", "eos_id", "device",
        "full_tokenizer_file", "init_inputs", "tokenizer_type", "extra_ids", "response_schema",
        "do_not_split", "init_kwargs"))
}
