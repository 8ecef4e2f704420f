import VDSQFormat

/// A GGUF file in Hugging Face's terms: a configuration, tensors by Hugging Face's names, a
/// tokenizer.
struct GGUFModel: ModelFile {
  let config: JSON
  let tensors: [String: SourceTensor]
  private let file: GGUF

  private typealias Names = [(String, String)]

  init(_ file: GGUF) throws(VDSQError) {
    self.file = file
    let metadata = GGUFMetadata(file)
    let architecture = try metadata.text("general.architecture")
    switch architecture {
    case "llama", "qwen2", "qwen3":
      config = try Self.causal(metadata, architecture)
      tensors = try Self.named(
        file, Self.llamaNames, layer: Self.llamaLayer,
        headSize: architecture == "llama" ? config["head_dim"]?.integer : nil)
    case "gpt2":
      config = try Self.gpt2(metadata)
      tensors = try Self.named(file, Self.gpt2Names, layer: Self.gpt2Layer, isTransposed: true)
    case "bert":
      config = try Self.bert(metadata)
      tensors = try Self.named(file, Self.bertNames, layer: Self.bertLayer)
    default:
      throw .badInput(
        "\(file.file.path): architecture \(architecture) is not supported in GGUF; supported: llama, "
          + "qwen2, qwen3, gpt2, bert")
    }
  }

  func tokenizer() throws(VDSQError) -> JSON {
    try GGUFTokenizer(file.metadata, path: file.file.path).json
  }

  // MARK: Names

  private static let llamaNames: Names = [
    ("token_embd.weight", "model.embed_tokens.weight"), ("output_norm.weight", "model.norm.weight"),
    ("output.weight", "lm_head.weight"),
  ]
  private static let llamaLayer: Names = [
    ("attn_norm", "input_layernorm"), ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"), ("attn_output", "self_attn.o_proj"),
    ("attn_q_norm", "self_attn.q_norm"), ("attn_k_norm", "self_attn.k_norm"),
    ("ffn_norm", "post_attention_layernorm"), ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"), ("ffn_down", "mlp.down_proj"),
  ].map { ($0.0, "model.layers.#.\($0.1)") }

  private static let gpt2Names: Names = [
    ("token_embd.weight", "wte.weight"), ("position_embd.weight", "wpe.weight"),
    ("output_norm.weight", "ln_f.weight"), ("output_norm.bias", "ln_f.bias"),
    ("output.weight", "lm_head.weight"),
  ]
  private static let gpt2Layer: Names = [
    ("attn_norm", "ln_1"), ("attn_qkv", "attn.c_attn"), ("attn_output", "attn.c_proj"),
    ("ffn_norm", "ln_2"), ("ffn_up", "mlp.c_fc"), ("ffn_down", "mlp.c_proj"),
  ].map { ($0.0, "h.#.\($0.1)") }

  private static let bertNames: Names = [
    ("token_embd.weight", "embeddings.word_embeddings.weight"),
    ("position_embd.weight", "embeddings.position_embeddings.weight"),
    ("token_types.weight", "embeddings.token_type_embeddings.weight"),
    ("token_embd_norm.weight", "embeddings.LayerNorm.weight"),
    ("token_embd_norm.bias", "embeddings.LayerNorm.bias"),
  ]
  private static let bertLayer: Names = [
    ("attn_q", "attention.self.query"), ("attn_k", "attention.self.key"),
    ("attn_v", "attention.self.value"), ("attn_output", "attention.output.dense"),
    ("attn_output_norm", "attention.output.LayerNorm"), ("ffn_up", "intermediate.dense"),
    ("ffn_down", "output.dense"), ("layer_output_norm", "output.LayerNorm"),
  ].map { ($0.0, "encoder.layer.#.\($0.1)") }

  /// - Parameter headSize: the size of a head if rows of queries and keys alternate between the
  ///   halves of heads.
  private static func named(
    _ file: GGUF, _ names: Names, layer: Names, headSize: Int? = nil, isTransposed: Bool = false
  ) throws(VDSQError) -> [String: SourceTensor] {
    let top = Dictionary(names, uniquingKeysWith: { first, _ in first })
    let layers = Dictionary(layer, uniquingKeysWith: { first, _ in first })
    var tensors: [String: SourceTensor] = [:]
    for (name, tensor) in file.tensors {
      let parts = name.split(separator: ".")
      if let known = top[name] {
        tensors[known] = tensor
      } else if parts.count == 4, parts[0] == "blk", let known = layers[String(parts[2])] {
        var tensor = tensor
        if let headSize, parts[2] == "attn_q" || parts[2] == "attn_k" {
          guard headSize > 0, headSize % 2 == 0, tensor.rows % headSize == 0 else {
            throw .badInput("\(file.file.path): tensor \(name) is not made of heads of \(headSize)")
          }
          tensor.order = .alternatingHalves(headSize: headSize)
        }
        tensor.isTransposed = isTransposed && tensor.shape.count == 2
        let place = known.split(separator: "#", omittingEmptySubsequences: false)
          .joined(separator: String(parts[1]))
        tensors["\(place).\(parts[3])"] = tensor
      } else {
        tensors[name] = tensor
      }
    }
    return tensors
  }

  // MARK: Configuration

  private static func object(_ members: [(String, JSON)]) -> JSON {
    .object(members.map { JSON.Member(key: $0.0, value: $0.1) })
  }

  private static func number(_ value: Int) -> JSON { .number(Double(value)) }

  private static func causal(
    _ m: GGUFMetadata, _ architecture: String
  ) throws(VDSQError) -> JSON {
    let hidden = try m.size("embedding_length"), heads = try m.size("attention.head_count")
    let head = try m.size("attention.key_length", default: hidden / max(heads, 1))
    let longest = try m.size("context_length")
    var rope: [(String, JSON)] = [
      ("rope_theta", .number(try m.number("rope.freq_base", default: 10_000)))
    ]
    let scaling = m.find("rope.scaling.type")
    if let factors = m.file.tensors["rope_freqs.weight"] {
      // Llama 3's scaling is stored as a divisor for each frequency.
      guard factors.count > 0, factors.count <= 1 << 16 else {
        throw .badInput("\(m.file.file.path): tensor rope_freqs.weight is empty or too large")
      }
      let values = try factors.reshaped(columns: factors.count).read(rows: 0..<1)
      rope += [
        ("rope_type", .string("longrope")), ("attention_factor", .number(1)),
        ("original_max_position_embeddings", number(longest)),
        ("short_factor", .array(values.map { .number(Double($0)) })),
      ]
    } else if case .text(let type)? = scaling, type != "none" {
      rope += [
        ("rope_type", .string(type)), ("factor", .number(try m.number("rope.scaling.factor"))),
        (
          "original_max_position_embeddings",
          number(try m.size("rope.scaling.original_context_length", default: longest))
        ),
      ]
    }
    return object([
      ("model_type", .string(architecture)), ("hidden_size", number(hidden)),
      ("num_hidden_layers", number(try m.size("block_count"))),
      ("num_attention_heads", number(heads)),
      ("num_key_value_heads", number(try m.size("attention.head_count_kv", default: heads))),
      ("head_dim", number(head)), ("intermediate_size", number(try m.size("feed_forward_length"))),
      ("max_position_embeddings", number(longest)),
      ("rms_norm_eps", .number(try m.number("attention.layer_norm_rms_epsilon"))),
      ("vocab_size", number(try m.vocabulary())), ("hidden_act", .string("silu")),
      ("rope_parameters", object(rope)),
      ("tie_word_embeddings", .bool(m.file.tensors["output.weight"] == nil)),
    ])
  }

  private static func gpt2(_ m: GGUFMetadata) throws(VDSQError) -> JSON {
    // A head that is stored beside the embeddings is not tied to them.
    object([
      ("model_type", .string("gpt2")), ("n_embd", number(try m.size("embedding_length"))),
      ("n_layer", number(try m.size("block_count"))),
      ("n_head", number(try m.size("attention.head_count"))),
      ("n_positions", number(try m.size("context_length"))),
      ("n_inner", number(try m.size("feed_forward_length"))),
      ("layer_norm_epsilon", .number(try m.number("attention.layer_norm_epsilon"))),
      ("vocab_size", number(try m.vocabulary())),
      ("tie_word_embeddings", .bool(m.file.tensors["output.weight"] == nil)),
    ])
  }

  private static func bert(_ m: GGUFMetadata) throws(VDSQError) -> JSON {
    guard m.file.tensors["token_types.weight"] != nil else {
      throw .badInput("\(m.file.file.path): tensor token_types.weight is missing")
    }
    return object([
      ("model_type", .string("bert")), ("hidden_size", number(try m.size("embedding_length"))),
      ("num_hidden_layers", number(try m.size("block_count"))),
      ("num_attention_heads", number(try m.size("attention.head_count"))),
      ("intermediate_size", number(try m.size("feed_forward_length"))),
      ("max_position_embeddings", number(try m.size("context_length"))),
      ("type_vocab_size", number(m.file.tensors["token_types.weight"]!.rows)),
      ("layer_norm_eps", .number(try m.number("attention.layer_norm_epsilon"))),
      ("vocab_size", number(try m.vocabulary())), ("hidden_act", .string("gelu")),
    ])
  }

  /// The pooling configuration of a sentence-transformers folder. Nil for other files, and if the
  /// GGUF file does not specify pooling.
  func companion(_ name: String) -> JSON? {
    guard case .integer(let kind)? = GGUFMetadata(file).find("pooling_type"),
      let pooling = [1: "mean", 2: "cls"][kind]
    else { return nil }
    switch name {
    case "modules.json":
      return .array(
        ["Transformer", "Pooling", "Normalize"].map { Self.object([("type", .string($0))]) })
    case "1_Pooling/config.json": return Self.object([("pooling_mode", .string(pooling))])
    default: return nil
    }
  }
}

/// Reads metadata with errors that name the key. `find` puts the name of the architecture in front
/// of a key.
struct GGUFMetadata {
  let file: GGUF
  private let prefix: String

  init(_ file: GGUF) {
    self.file = file
    if case .text(let architecture)? = file.metadata["general.architecture"] {
      prefix = architecture
    } else {
      prefix = ""
    }
  }

  /// A value of the architecture.
  func find(_ key: String) -> GGUF.Value? { file.metadata["\(prefix).\(key)"] }

  func text(_ key: String) throws(VDSQError) -> String {
    guard case .text(let text)? = file.metadata[key] else {
      throw .badInput("\(file.file.path): metadata \(key) is missing or no text")
    }
    return text
  }

  func size(_ key: String, default standard: Int? = nil) throws(VDSQError) -> Int {
    if case .integer(let value)? = find(key), value >= 1, value <= 1 << 40 { return value }
    // Some files have one number per layer.
    if case .integers(let values)? = find(key), let first = values.first,
      values.allSatisfy({ $0 == first }), first >= 1
    {
      return first
    }
    guard find(key) == nil, let standard else {
      throw .badInput("\(file.file.path): metadata \(prefix).\(key) is missing or out of range")
    }
    return standard
  }

  func number(_ key: String, default standard: Double? = nil) throws(VDSQError) -> Double {
    switch find(key) {
    case .number(let value)? where value.isFinite: return value
    case .integer(let value)?: return Double(value)
    case nil where standard != nil: return standard!
    default:
      throw .badInput("\(file.file.path): metadata \(prefix).\(key) is missing or no number")
    }
  }

  /// The number of rows of the embedding table.
  func vocabulary() throws(VDSQError) -> Int {
    guard let table = file.tensors["token_embd.weight"], table.shape.count == 2 else {
      throw .badInput("\(file.file.path): tensor token_embd.weight is missing or no matrix")
    }
    return table.rows
  }
}
