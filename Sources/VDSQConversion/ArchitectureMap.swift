import VDSQCheckpoints
import VDSQFormat

/// What a tensor's axis measures.
enum Axis: Sendable {
  case hidden, intermediate, vocabulary, positions, tokenTypes
}

/// What a tensor is to the model, which decides how it is stored.
enum TensorRole: Sendable {
  /// Rows looked up by token id: int8 or fp16 rows.
  case wordTable
  /// Rows looked up by position: few, so fp16 always.
  case positionTable
  /// A linear layer's weights: int8 or fp16 panels.
  case linear
  /// Norms and biases: float32.
  case vector
}

/// One tensor of the container: where it comes from and what shape each source must have.
struct TensorRule: Sendable {
  /// Name in the container; `#` stands for the layer.
  let name: String
  /// Names in the checkpoint, stacked by rows.
  let sources: [String]
  let role: TensorRole
  /// The shape of each source.
  let shape: [Axis]

  init(_ name: String, _ sources: [String], _ role: TensorRole, _ shape: [Axis]) {
    self.name = name
    self.sources = sources
    self.role = role
    self.shape = shape
  }
}

/// An architecture's names, as a table: `config.json` keys and checkpoint tensors.
struct ArchitectureMap: Sendable {
  /// `model_type` in config.json.
  let modelType: String
  /// What may stand before every tensor's name, the most specific first.
  let prefixes: [String]
  let keys: Keys
  let embeddings: [TensorRule]
  let layer: [TensorRule]

  /// The configuration's keys.
  struct Keys: Sendable {
    var hiddenSize = "hidden_size"
    var layers = "num_hidden_layers"
    var heads = "num_attention_heads"
    var intermediateSize = "intermediate_size"
    var activation = "hidden_act"
    /// Nil where the architecture has one token type only.
    var tokenTypes: String? = "type_vocab_size"
    /// Nil where the architecture fixes it.
    var layerNormEpsilon: String? = "layer_norm_eps"
  }

  static let all = [bert, distilBERT]

  static let bert = ArchitectureMap(
    modelType: "bert", prefixes: ["bert.", ""], keys: Keys(),
    embeddings: [
      TensorRule(
        "embeddings.word", ["embeddings.word_embeddings.weight"], .wordTable,
        [.vocabulary, .hidden]),
      TensorRule(
        "embeddings.position", ["embeddings.position_embeddings.weight"], .positionTable,
        [.positions, .hidden]),
      TensorRule(
        "embeddings.token_type", ["embeddings.token_type_embeddings.weight"], .vector,
        [.tokenTypes, .hidden]),
      TensorRule("embeddings.norm.weight", ["embeddings.LayerNorm.weight"], .vector, [.hidden]),
      TensorRule("embeddings.norm.bias", ["embeddings.LayerNorm.bias"], .vector, [.hidden]),
    ],
    layer: layer(
      prefix: "encoder.layer.#.", query: "attention.self.query", key: "attention.self.key",
      value: "attention.self.value", output: "attention.output.dense",
      attentionNorm: "attention.output.LayerNorm", up: "intermediate.dense", down: "output.dense",
      outputNorm: "output.LayerNorm"))

  static let distilBERT = ArchitectureMap(
    modelType: "distilbert", prefixes: ["distilbert.", ""],
    keys: Keys(
      hiddenSize: "dim", layers: "n_layers", heads: "n_heads", intermediateSize: "hidden_dim",
      activation: "activation", tokenTypes: nil, layerNormEpsilon: nil),
    embeddings: bert.embeddings.filter { $0.name != "embeddings.token_type" },
    layer: layer(
      prefix: "transformer.layer.#.", query: "attention.q_lin", key: "attention.k_lin",
      value: "attention.v_lin", output: "attention.out_lin", attentionNorm: "sa_layer_norm",
      up: "ffn.lin1", down: "ffn.lin2", outputNorm: "output_layer_norm"))

  private static func layer(
    prefix: String, query: String, key: String, value: String, output: String,
    attentionNorm: String, up: String, down: String, outputNorm: String
  ) -> [TensorRule] {
    func linear(_ name: String, _ sources: [String], _ shape: [Axis]) -> [TensorRule] {
      [
        TensorRule(
          "layer.#.\(name).weight", sources.map { prefix + $0 + ".weight" }, .linear, shape),
        TensorRule(
          "layer.#.\(name).bias", sources.map { prefix + $0 + ".bias" }, .vector, [shape[0]]),
      ]
    }
    func norm(_ name: String, _ source: String) -> [TensorRule] {
      ["weight", "bias"].map {
        TensorRule("layer.#.\(name).\($0)", ["\(prefix)\(source).\($0)"], .vector, [.hidden])
      }
    }
    return linear("attention.qkv", [query, key, value], [.hidden, .hidden])
      + linear("attention.output", [output], [.hidden, .hidden])
      + norm("attention.norm", attentionNorm)
      + linear("feed_forward.up", [up], [.intermediate, .hidden])
      + linear("feed_forward.down", [down], [.hidden, .intermediate])
      + norm("feed_forward.norm", outputNorm)
  }

  /// The map for a configuration.
  ///
  /// - Throws: `badInput`, naming what is supported, where there is none.
  static func find(for folder: ModelFolder) throws(VDSQError) -> ArchitectureMap {
    let supported = all.map(\.modelType).joined(separator: ", ")
    guard let type = folder.config["model_type"]?.text else {
      throw .badInput("\(folder.path)/config.json: no model_type; supported: \(supported)")
    }
    guard let map = all.first(where: { $0.modelType == type }) else {
      throw .badInput(
        "\(folder.path): architecture \(type) is not supported; supported: \(supported)")
    }
    return map
  }
}
