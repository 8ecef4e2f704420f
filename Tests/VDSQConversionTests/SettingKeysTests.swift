import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat

/// Every key of every configuration file: a value that would change a vector changes the file that
/// is written, or is refused by name; a harmless key changes nothing.
@Suite struct SettingKeysTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// What a conversion makes of a folder.
  private enum Outcome: Equatable {
    /// All sections but the provenance.
    case file([[UInt8]])
    case refused(String)
  }

  /// A value of a key, with other keys that it needs, and a word of the refusal if it does not name
  /// the key.
  private struct Probe {
    let value: Any
    var setup: [String: Any] = [:]
    var word: String?

    init(_ value: Any, with setup: [String: Any] = [:], word: String? = nil) {
      self.value = value
      self.setup = setup
      self.word = word
    }
  }

  /// Converts a fixture with members set in one of its files.
  private func convert(
    _ fixture: String, _ files: [String: [String: Any]]
  ) throws -> Outcome {
    // The path of a folder that a test wrote, or the name of a fixture.
    let path = folder.path("m")
    let source = fixture.hasPrefix("/") ? fixture : Fixtures.path(fixture)
    try FileManager.default.copyItem(atPath: source, toPath: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let root = URL(fileURLWithPath: path)
    for (file, members) in files {
      let url = root.appendingPathComponent(file)
      var content: [String: Any] = [:]
      if let data = try? Data(contentsOf: url) {
        content = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
      }
      content.merge(members) { $1 }
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try JSONSerialization.data(withJSONObject: content, options: .sortedKeys).write(to: url)
    }
    var options = Converter.Options(weights: .fp32)
    options.bases = nil
    let output = folder.path("m.vdsq")
    let result = Result { () throws(VDSQError) in
      let converter = try Converter(folder: path, options: options)
      _ = try converter.write(to: output, replace: true, progress: Progress(total: 1) { _ in })
      return try Container(path: output, kind: .model)
    }
    switch result {
    case .failure(let error): return .refused(error.message)
    case .success(let file):
      return .file(
        file.sections.indices.filter { file.sections[$0].kind != .provenance }
          .map { Array(file.bytes(ofSection: $0)) })
    }
  }

  /// Feeds every key of a file.
  private func check(
    _ keys: SettingKeys, _ fixture: String, _ others: [String: [String: Any]] = [:],
    probes: [String: Probe], skipping: Set<String> = []
  ) throws {
    func outcome(_ members: [String: Any]) throws -> Outcome {
      var files = others
      files[keys.file, default: [:]].merge(members) { $1 }
      return try convert(fixture, files)
    }
    let plain = try outcome([:])
    guard case .file = plain else {
      Issue.record("\(fixture): \(plain)")
      return
    }
    for name in Set(keys.keys.map(\.name)).sorted() where !skipping.contains(name) {
      let key = try #require(keys.key(name))
      let probe: Probe
      switch key.use {
      case .harmless:
        #expect(try outcome([name: 7]) == plain, "\(fixture): \(name) is not harmless")
        continue
      case .followed:
        probe = try #require(probes[name], "\(fixture): no value for \(name)")
      case .fixed, .absent: probe = Probe("something else")
      }
      var setup = probe.setup
      setup[name] = nil
      let before = setup.isEmpty ? plain : try outcome(setup)
      let after = try outcome(probe.setup.merging([name: probe.value]) { $1 })
      switch after {
      case .file:
        #expect(before != after, "\(fixture): \(keys.file): \(name) is not followed")
        guard case .followed = key.use else {
          Issue.record("\(fixture): \(keys.file): \(name) is not refused")
          continue
        }
      case .refused(let message):
        #expect(
          message.contains(probe.word ?? name), "\(fixture): \(name): \(message)")
      }
    }
  }

  private static let shape = "config.json says"
  private static let contradiction = "contradicts"
  private static let layers = "layer that the configuration does not count"

  nonisolated(unsafe) private static let common: [String: Probe] = [
    "model_type": Probe("mamba", word: "architecture mamba"), "vocab_size": Probe(7, word: "7"),
    "quantization_config": Probe(["quant_method": "gptq"]),
    "auto_map": Probe(["AutoModel": "modeling.Model"]),
    "tokenizer_class": Probe("PreTrainedTokenizerFast"),
    "tie_word_embeddings": Probe(false, word: "lm_head"),
  ]

  nonisolated(unsafe) private static let encoder: [String: Probe] = common.merging([
    "num_hidden_layers": Probe(1, word: layers), "num_attention_heads": Probe(2),
    "hidden_act": Probe("relu"), "n_layers": Probe(1, word: layers), "n_heads": Probe(2),
    "activation": Probe("relu"),
    "layer_norm_eps": Probe(1e-3),
  ]) { $1 }.merging(
    [
      "hidden_size", "intermediate_size", "max_position_embeddings", "type_vocab_size", "dim",
      "hidden_dim", "embedding_size",
    ].map { ($0, Probe(96, word: shape)) }
  ) { $1 }

  nonisolated(unsafe) private static let linear: [String: Any] = [
    "rope_type": "linear", "factor": 2,
  ]

  nonisolated(unsafe) private static let decoder: [String: Probe] = common.merging([
    "n_layer": Probe(1, word: layers), "n_head": Probe(2), "n_positions": Probe(20, word: shape),
    "n_inner": Probe(20, word: shape), "n_embd": Probe(16, word: shape),
    "layer_norm_epsilon": Probe(1e-3), "activation_function": Probe("relu"),
    "hidden_size": Probe(64, word: shape), "intermediate_size": Probe(20, word: shape),
    "num_hidden_layers": Probe(1, word: layers), "num_attention_heads": Probe(2, word: shape),
    "num_key_value_heads": Probe(1, word: shape), "head_dim": Probe(24, word: shape),
    "max_position_embeddings": Probe(100), "hidden_act": Probe("relu"),
    "layer_types": Probe(["chunked_attention"]), "rms_norm_eps": Probe(1e-3),
    "layer_norm_eps": Probe(1e-3), "rope_parameters": Probe(linear),
    "rope_scaling": Probe(linear, with: ["rope_parameters": NSNull()]),
    "rope_theta": Probe(77, with: ["rope_parameters": NSNull()]),
    "partial_rotary_factor": Probe(0.5, with: ["rope_parameters": linear]),
    "rotary_emb_base": Probe(77, with: ["rope_parameters": NSNull(), "rotary_pct": 1]),
    "rotary_pct": Probe(1.0, with: ["rope_parameters": NSNull()]),
    "original_max_position_embeddings": Probe(
      16, with: ["rope_parameters": ["rope_type": "yarn", "factor": 4, "partial_rotary_factor": 1]]),
    "attention_bias": Probe(true), "mlp_bias": Probe(true), "use_parallel_residual": Probe(false),
    "hidden_activation": Probe("relu"), "use_qkv_bias": Probe(false),
    "no_rope_layers": Probe([1, 1, 1, 1]),
    "no_rope_layer_interval": Probe(2, with: ["no_rope_layers": NSNull()]),
    "embedding_multiplier": Probe(2), "attention_multiplier": Probe(2),
    "residual_multiplier": Probe(2), "logits_scaling": Probe(2),
    "sliding_window": Probe(
      7, with: ["use_sliding_window": true, "max_window_layers": 0, "layer_types": NSNull()]),
    "use_sliding_window": Probe(
      true, with: ["sliding_window": 5, "max_window_layers": 0, "layer_types": NSNull()]),
    "max_window_layers": Probe(
      1, with: ["sliding_window": 5, "use_sliding_window": true, "layer_types": NSNull()]),
  ]) { $1 }

  /// `config.json` of each architecture.
  @Test(arguments: CheckpointArchitecture.all.flatMap(\.modelTypes))
  func configurations(_ type: String) throws {
    guard
      let architecture = CheckpointArchitecture.all.first(where: { $0.modelTypes.first == type })
    else { return }
    let keys = SettingKeys.config(architecture.settings)
    switch type {
    case "mpnet", "albert", "deberta-v2", "nomic_bert", "gte", "modernbert", "gemma3_text":
      // Those have a test of their own.
      return
    case "model2vec":
      // Four more tell what the table and the tokenizer have.
      try check(
        keys, "static/weighted",
        probes: Self.common.merging(["normalize": Probe(true), "max_length": Probe(9)]) { $1 },
        skipping: [
          "table_rows", "table_columns", "median_token_length", "dropped_token", "vocab_size",
          "tie_word_embeddings", "tokenizer_class",
        ])
    case "bert", "distilbert":
      // Lower-casing is a setting of the class only.
      try check(
        keys, type == "bert" ? "bert-mean" : "distilbert-sqrt",
        ["tokenizer_config.json": ["do_lower_case": false]], probes: Self.encoder,
        skipping: ["tie_word_embeddings"])
    case "electra", "roberta":
      try check(
        keys, "language-models/\(type)",
        ["tokenizer_config.json": ["do_lower_case": false, "add_prefix_space": true]],
        probes: Self.encoder.merging(["pad_token_id": Probe(3, word: Self.shape)]) { $1 },
        skipping: ["tie_word_embeddings"])
    default:
      let fixture = "language-models/\(type == "gpt_neox" ? "gpt-neox" : type)"
      // These are the boundaries of texts in `score`; they change no vector.
      var skipped: Set<String> = ["bos_token_id", "eos_token_id"]
      // The class of the tokenizer takes nothing from its settings.
      if type != "gpt2", type != "gpt_neox" { skipped.insert("tokenizer_class") }
      var probes = Self.decoder
      if type == "gpt_neox" {
        probes["attention_bias"] = Probe(false)
        probes["num_key_value_heads"] = Probe(1, word: Self.shape)
      }
      if type == "stablelm" {
        // A quarter of a head is rotated by default: three elements, which is refused.
        let half = Self.linear.merging(["partial_rotary_factor": 0.5]) { $1 }
        let absent: [String: Any] = [
          "rope_parameters": NSNull(), "partial_rotary_factor": 0.5,
        ]
        probes["rope_parameters"] = Probe(half)
        probes["rope_scaling"] = Probe(Self.linear, with: absent)
        probes["rope_theta"] = Probe(77, with: absent)
      }
      if type == "smollm3" {
        probes["num_hidden_layers"] = Probe(1, word: "no_rope_layers")
        probes["sliding_window"] = Probe(
          7, with: ["use_sliding_window": true, "layer_types": NSNull()])
        probes["use_sliding_window"] = Probe(
          true, with: ["sliding_window": 5, "layer_types": NSNull()])
        // With the base of five millions the corrected range is the same.
        probes["original_max_position_embeddings"] = Probe(
          16,
          with: ["rope_parameters": ["rope_type": "yarn", "factor": 4, "rope_theta": 10_000]])
      }
      if type == "gemma2" {
        // `hidden_activation` is what counts.
        skipped.insert("hidden_act")
        probes["num_hidden_layers"] = Probe(1, word: "layer_types")
        probes["query_pre_attn_scalar"] = Probe(7)
        probes["sliding_window"] = Probe(3)
        probes["attn_logit_softcapping"] = Probe(NSNull())
        probes["final_logit_softcapping"] = Probe(NSNull())
      }
      if type == "falcon" {
        probes["num_hidden_layers"] = Probe(1, word: Self.layers)
        probes["num_kv_heads"] = Probe(
          2, with: ["new_decoder_architecture": true], word: "ln_attn")
        probes["num_attention_heads"] = Probe(2, word: "num_kv_heads")
        probes["new_decoder_architecture"] = Probe(true, word: "ln_attn")
        probes["multi_query"] = Probe(false, word: Self.shape)
        probes["parallel_attn"] = Probe(false, word: "post_attention_layernorm")
        probes["num_ln_in_parallel_attn"] = Probe(
          2, with: ["new_decoder_architecture": true, "num_kv_heads": 1], word: "ln_attn")
        probes["ffn_hidden_size"] = Probe(20, word: Self.shape)
        probes["activation"] = Probe("relu")
        probes["bias"] = Probe(true)
      }
      if type == "mpt" {
        probes["d_model"] = Probe(48, word: Self.shape)
        probes["n_heads"] = Probe(2)
        probes["n_layers"] = Probe(1, word: Self.layers)
        probes["max_seq_len"] = Probe(50)
        probes["attn_config"] = Probe(["softmax_scale": 0.5])
      }
      if type == "phi" {
        probes["num_attention_heads"] = Probe(2, word: "num_key_value_heads")
        probes["rope_parameters"] = Probe(Self.linear)
        probes["partial_rotary_factor"] = Probe(
          0.25, with: ["rope_parameters": NSNull(), "rope_scaling": NSNull()])
      }
      // A checkpoint with both tables says which one the head is.
      if type != "gpt2" { skipped.insert("tie_word_embeddings") }
      let space = !skipped.contains("tokenizer_class")
      try check(
        keys, fixture, space ? ["tokenizer_config.json": ["add_prefix_space": true]] : [:],
        probes: probes, skipping: skipped)
    }
  }

  nonisolated(unsafe) private static let rotaryEncoder: [String: Probe] = encoder.merging([
    "num_attention_heads": Probe(2, with: ["head_dim": NSNull()]),
    "max_position_embeddings": Probe(100), "head_dim": Probe(24, word: shape),
    "rope_parameters": Probe(linear),
    "rope_scaling": Probe(linear, with: ["rope_parameters": NSNull()]),
    "rope_theta": Probe(77, with: ["rope_parameters": NSNull()]),
    "partial_rotary_factor": Probe(0.5, with: ["rope_parameters": linear]),
    "original_max_position_embeddings": Probe(
      16, with: ["rope_parameters": ["rope_type": "yarn", "factor": 4]]),
  ]) { $1 }

  /// Probes of the encoders that are not BERT's, by their fixtures.
  nonisolated(unsafe) private static let encoders:
    [(
      fixture: String, type: String, probes: [String: Probe]
    )] = [
      (
        "mpnet", "mpnet",
        encoder.merging(["num_attention_heads": Probe(2, word: shape)]) { $1 }
      ),
      (
        "albert", "albert",
        encoder.merging([
          "num_hidden_groups": Probe(1, word: "layer"), "num_hidden_layers": Probe(2),
        ]) { $1 }
      ),
      (
        "jina-bert", "bert",
        encoder.merging([
          "num_attention_heads": Probe(2), "max_position_embeddings": Probe(100),
          "feed_forward_type": Probe("reglu"), "hidden_act": Probe("mish"),
        ]) { $1 }
      ),
      (
        "deberta", "deberta-v2",
        encoder.merging([
          "num_attention_heads": Probe(2), "max_position_embeddings": Probe(100),
          "type_vocab_size": Probe(96, word: "token_type"),
          "position_buckets": Probe(8, word: shape), "max_relative_positions": Probe(300),
          "pos_att_type": Probe("c2p"),
        ]) { $1 }
      ),
      ("nomic-bert", "nomic_bert", rotaryEncoder), ("gte", "gte", rotaryEncoder),
      (
        "nomic-bert-code", "nomic_bert",
        rotaryEncoder.merging([
          "hidden_size": Probe(96, word: contradiction),
          "num_hidden_layers": Probe(1, word: contradiction),
          "num_attention_heads": Probe(2, word: contradiction),
          "head_dim": Probe(24, word: contradiction),
          "intermediate_size": Probe(96, word: contradiction),
          "layer_norm_eps": Probe(1e-3, word: contradiction),
          "hidden_act": Probe("gelu", word: contradiction),
          "rope_theta": Probe(77, word: contradiction),
          "partial_rotary_factor": Probe(0.5, word: contradiction),
          "n_layer": Probe(1, word: layers), "n_head": Probe(2), "n_positions": Probe(100),
          "n_inner": Probe(300, word: shape), "n_embd": Probe(16, word: shape),
          "layer_norm_epsilon": Probe(1e-3), "activation_function": Probe("geglu"),
          "rotary_emb_base": Probe(77), "rotary_emb_fraction": Probe(0.5),
          "rotary_scaling_factor": Probe(2, with: ["max_trained_positions": 64]),
          "max_trained_positions": Probe(70, with: ["rotary_scaling_factor": 2]),
        ]) { $1 }
      ),
      (
        "gte-code", "new",
        rotaryEncoder.merging([
          "rope_parameters": Probe(linear, with: ["rope_scaling": NSNull()]),
          "rope_theta": Probe(77), "type_vocab_size": Probe(96, word: "token_type"),
          "rope_scaling": Probe(["type": "ntk", "factor": 2]),
          "partial_rotary_factor": Probe(0.5, with: ["rope_scaling": linear]),
          "original_max_position_embeddings": Probe(
            16, with: ["rope_scaling": ["rope_type": "yarn", "factor": 4]]),
        ]) { $1 }
      ),
      (
        "modernbert", "modernbert",
        rotaryEncoder.merging([
          "num_hidden_layers": Probe(1, word: "layer_types"),
          "hidden_activation": Probe("relu"), "norm_eps": Probe(1e-3),
          "global_rope_theta": Probe(77, with: ["rope_parameters": NSNull()]),
          "local_rope_theta": Probe(77, with: ["rope_parameters": NSNull()]),
          "rope_parameters": Probe(["sliding_attention": ["rope_theta": 77]]),
          "partial_rotary_factor": Probe(
            0.5, with: ["rope_parameters": ["full_attention": linear]]),
          "original_max_position_embeddings": Probe(
            16,
            with: ["rope_parameters": ["full_attention": ["rope_type": "yarn", "factor": 4]]]),
          "local_attention": Probe(6), "layer_types": Probe(["chunked_attention"]),
          "global_attn_every_n_layers": Probe(2, with: ["layer_types": NSNull()]),
          "attention_bias": Probe(true), "mlp_bias": Probe(true), "norm_bias": Probe(true),
          "classifier_pooling": Probe("max"),
        ]) { $1 }
      ),
      (
        "embedding-gemma", "gemma3_text",
        decoder.merging([
          "num_hidden_layers": Probe(1, word: "layer_types"),
          "hidden_size": Probe(64, word: "modules.json"), "hidden_activation": Probe("relu"),
          "use_bidirectional_attention": Probe(false), "query_pre_attn_scalar": Probe(7),
          "sliding_window": Probe(20), "layer_types": Probe(["chunked_attention"]),
          "sliding_window_pattern": Probe(2, with: ["layer_types": NSNull()]),
          "_sliding_window_pattern": Probe(2, with: ["layer_types": NSNull()]),
          "attn_logit_softcapping": Probe(5), "final_logit_softcapping": Probe(5),
          "rope_local_base_freq": Probe(77, with: ["rope_parameters": NSNull()]),
          "rope_parameters": Probe(["sliding_attention": ["rope_theta": 77]]),
          "partial_rotary_factor": Probe(
            0.5, with: ["rope_parameters": ["full_attention": linear]]),
          "original_max_position_embeddings": Probe(
            16,
            with: ["rope_parameters": ["full_attention": ["rope_type": "yarn", "factor": 4]]]),
        ]) { $1 }
      ),
    ]

  /// `config.json` of the encoders that are not BERT's.
  @Test(arguments: 0..<encoders.count)
  func configurationsOfEncoders(_ index: Int) throws {
    let (fixture, type, probes) = Self.encoders[index]
    let isVariant = fixture.hasSuffix("-code") || fixture == "jina-bert"
    let architecture = try #require(
      CheckpointArchitecture.all.first { $0.modelTypes.contains(type) }
        .flatMap { isVariant ? $0.variantArchitectures.last : $0 })
    var skipped: Set<String> = [
      "tie_word_embeddings", "tokenizer_class", "hidden_act",
    ]
    if fixture == "mpnet" || fixture.hasPrefix("nomic") || fixture == "gte" {
      skipped.remove("hidden_act")
    }
    if isVariant { skipped.insert("auto_map") }
    // Without this one the file is another variant's, and without a head this one says nothing.
    skipped.formUnion(["position_embedding_type", "classifier_bias"])
    let tokenizer: [String: Any] =
      fixture == "gte"
      ? ["tokenizer_class": "BertTokenizer", "do_lower_case": false] : ["do_lower_case": false]
    try check(
      SettingKeys.config(architecture.settings), "encoders/\(fixture)",
      [
        "tokenizer_config.json": tokenizer,
        "sentence_bert_config.json": ["max_seq_length": NSNull()],
      ],
      probes: probes, skipping: skipped)
  }

  nonisolated(unsafe) private static let prompts: [String: Any] = [
    "prompts": ["query": "q: ", "passage": "p: "], "default_prompt_name": "query",
  ]

  /// The files of a sentence-transformers folder.
  @Test func sentenceTransformersFiles() throws {
    let base: [String: [String: Any]] = [
      "config_sentence_transformers.json": Self.prompts,
      "tokenizer_config.json": ["do_lower_case": false],
      "sentence_bert_config.json": ["max_seq_length": NSNull()],
      "1_Pooling/config.json": ["pooling_mode_mean_tokens": false],
    ]
    var pooling: [String: Probe] = [
      "pooling_mode": Probe("max"), "include_prompt": Probe(false),
      // Without any mode it is the mean.
      "pooling_mode_mean_tokens": Probe(
        true, with: ["pooling_mode_max_tokens": true]),
    ]
    for mode in [
      "cls_token", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens",
      "lasttoken",
    ] { pooling["pooling_mode_\(mode)"] = Probe(true) }
    try check(.pooling, "bert-mean", base, probes: pooling)
    let arguments: [String: Any] = ["rope_theta": 7]
    try check(
      .transformer, "bert-mean", base,
      probes: [
        "max_seq_length": Probe(9), "do_lower_case": Probe(true),
        "modality_config": Probe(["message": ["method": "forward"]]),
        "model_args": Probe(arguments), "model_kwargs": Probe(arguments),
        "config_args": Probe(arguments), "config_kwargs": Probe(arguments),
        "tokenizer_args": Probe(["model_max_length": 9]),
        "processor_kwargs": Probe(["model_max_length": 9]),
      ])
    try check(
      .sentenceTransformers, "bert-mean", base,
      probes: [
        "prompts": Probe(["query": "other: "]), "default_prompt_name": Probe("passage"),
      ])
    try check(.normalize, "bert-mean", base, probes: [:])
  }

  /// The files of modules with weights. What does not match the weights is refused.
  @Test func modules() throws {
    for (name, keys, probes) in [
      (
        "dense", SettingKeys.dense,
        [
          "in_features": Probe(47, word: "shape"), "out_features": Probe(23, word: "shape"),
          "bias": Probe(false),
          "activation_function": Probe("torch.nn.modules.activation.ReLU"),
        ]
      ),
      ("layer-norm", .layerNorm, ["dimension": Probe(7, word: "shape")]),
    ] {
      let model = SentenceModulesFile.shared.models.first { $0.name == name }!
      try check(keys, model.write(to: folder), probes: probes)
    }
  }

  /// Modules that are not computed are refused by name, code of the model's own included.
  @Test(arguments: [
    "sentence_transformers.models.CNN", "sentence_transformers.models.LSTM",
    "sentence_transformers.models.WeightedLayerPooling", "sentence_transformers.models.BoW",
    "sentence_transformers.sparse_encoder.models.SpladePooling", "custom_code.Transformer",
    "modeling.Pooling",
  ])
  func otherModulesAreRefusedByName(_ type: String) throws {
    let path = try folder.copy(ofFixture: "bert-mean", as: "m")
    let url = URL(fileURLWithPath: "\(path)/modules.json")
    var modules = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as! [Any]
    modules.append(["idx": 3, "name": "3", "path": "3_Module", "type": type])
    try JSONSerialization.data(withJSONObject: modules).write(to: url)
    #expect { try Converter(folder: path, weights: .int8) } throws: {
      ($0 as? VDSQError)?.message.contains(type) ?? false
    }
  }

  @Test func tokenizerConfigurations() throws {
    let base: [String: [String: Any]] = [
      "tokenizer_config.json": ["do_lower_case": false],
      "sentence_bert_config.json": ["max_seq_length": NSNull()],
    ]
    let entry: [String: Any] = [
      "1080": ["content": "zz", "normalized": false, "special": false]
    ]
    var probes: [String: Probe] = [
      "model_max_length": Probe(9), "do_lower_case": Probe(true), "strip_accents": Probe(true),
      "tokenize_chinese_chars": Probe(false), "added_tokens_decoder": Probe(entry),
      "additional_special_tokens": Probe(["t"]), "extra_special_tokens": Probe(["t"]),
      "tokenizer_class": Probe("PreTrainedTokenizerFast"),
      "auto_map": Probe(["AutoTokenizer": ["x", "y"]]),
      "cls_token": Probe("[MASK]"), "sep_token": Probe("[MASK]"), "unk_token": Probe("[MASK]"),
    ]
    for name in ["pad", "mask", "bos", "eos"] { probes["\(name)_token"] = Probe("t") }
    // These are of other classes.
    try check(
      .tokenizer, "bert-mean", base, probes: probes,
      skipping: ["add_prefix_space", "legacy", "split_by_punct"])
    let llama: [String: Any] = ["tokenizer_class": "LlamaTokenizer"]
    let legacy = llama.merging(["legacy": true]) { $1 }
    #expect(
      try convert("language-models/llama", ["tokenizer_config.json": llama])
        != convert("language-models/llama", ["tokenizer_config.json": legacy]))
    #expect(
      try convert("language-models/gpt2", ["tokenizer_config.json": ["add_prefix_space": true]])
        != convert("language-models/gpt2", ["tokenizer_config.json": [:]]))
  }

  /// What is not known is told.
  @Test func unknownKeysAreWarnings() throws {
    let path = try folder.copy(ofFixture: "bert-mean", as: "m")
    for file in [
      "config.json", "tokenizer_config.json", "sentence_bert_config.json", "1_Pooling/config.json",
      "config_sentence_transformers.json",
    ] {
      let url = URL(fileURLWithPath: "\(path)/\(file)")
      var content =
        (try? JSONSerialization.jsonObject(with: Data(contentsOf: url))) as? [String: Any] ?? [:]
      content["made_up"] = 1
      try JSONSerialization.data(withJSONObject: content).write(to: url)
    }
    let warnings = try Converter(folder: path, weights: .int8).warnings
    #expect(warnings.count { $0.contains("made_up is not known") } == 5, "\(warnings)")
  }
}
