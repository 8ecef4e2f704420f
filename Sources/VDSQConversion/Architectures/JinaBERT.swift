import Glibc
import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  private static let jinaBERTKeys: BERTKeys = {
    var keys = BERTKeys()
    keys.positionTypes = ["alibi"]
    return keys
  }()

  /// JinaBERT 2 (Günther et al. 2023): BERT with a gated feed-forward network and, instead of
  /// learned positions, losses that grow with distances (ALiBi).
  ///
  /// - Parameter isSplit: whether the gate and the up projection are two tensors, as in older GGUF
  ///   files.
  private static func jinaBERT(isSplit: Bool) -> CheckpointArchitecture {
    CheckpointArchitecture(
      title: "JinaBERT 2", references: ["PyTorch, by the paper"], modelTypes: ["bert"],
      settings: jinaBERTKeys.settings + SettingKey.followed("feed_forward_type")
        + SettingKey.harmless(
          "emb_pooler", "model_max_length", "num_tasks", "use_flash_attn", "with_flash_attention"),
      tokenizerClasses: ["bert": "BertTokenizer"],
      configuration: { (config) throws(VDSQError) in
        var configuration = try jinaBERTKeys.read(config)
        var c = configuration.architecture
        let type = config["feed_forward_type"]?.text ?? "original"
        guard let gate = ["geglu": ActivationFunction.gelu, "reglu": .relu][type] else {
          throw .badInput(
            "\(config.path): feed_forward_type \(type) is not supported; supported: geglu, reglu")
        }
        c.activation = gate
        c.isGated = true
        c.positions = .none
        c.distanceBias = .linear
        configuration.architecture = c
        configuration.distanceSlopes = ALiBi.slopes(heads: c.heads)
        return configuration
      },
      prefixes: ["bert.", ""],
      embeddings: bertEmbeddings.filter { $0.name != "embeddings.position" },
      layer: bertLayer.filter { !$0.name.contains("feed_forward") }
        // The first half of the rows is what passes through the activation.
        + TensorRule.linear(
          "layer.#.feed_forward.up",
          (isSplit ? ["gated_layers_w", "gated_layers_v"] : ["gated_layers"])
            .map { "encoder.layer.#.mlp.\($0)" },
          rows: isSplit ? [.intermediate, .intermediate] : [.gated], .hidden, bias: nil)
        + TensorRule.linear(
          "layer.#.feed_forward.down", ["encoder.layer.#.mlp.wo"], rows: [.hidden], .intermediate)
        + TensorRule.norm("layer.#.feed_forward.norm", "encoder.layer.#.mlp.layernorm"),
      head: bertHead, textHead: bertTextHead, tokenHead: bertTokenHead,
      gguf: isSplit ? jinaBERTGGUF : nil,
      code: [
        "Model", "ForMaskedLM", "ForMultipleChoice", "ForQuestionAnswering",
        "ForSequenceClassification", "ForTokenClassification",
      ]
      .map { "JinaBert\($0)" })
  }

  /// JinaBERT among the checkpoints with BERT's `model_type`.
  static let jinaBERTVariants = [
    variant(ending: ".mlp.gated_layers_w.weight", jinaBERT(isSplit: true)),
    Variant(
      isOf: { $0.config["position_embedding_type"]?.text == "alibi" },
      architecture: jinaBERT(isSplit: false)),
  ]

  private static let jinaBERTGGUF = GGUFArchitecture(
    name: "jina-bert-v2",
    tensors: bertGGUF.tensors.filter { $0.key != "position_embd.weight" },
    layerTensors: bertGGUF.layerTensors.merging([
      "ffn_gate": "encoder.layer.#.mlp.gated_layers_w",
      "ffn_up": "encoder.layer.#.mlp.gated_layers_v", "ffn_down": "encoder.layer.#.mlp.wo",
      "layer_output_norm": "encoder.layer.#.mlp.layernorm",
    ]) { $1 }, gatedUp: "encoder.layer.#.mlp.gated_layers",
    isCausal: false,
    config: { (m) throws(VDSQError) in
      try bertGGUF.config(m) + [
        ("position_embedding_type", .string("alibi")), ("feed_forward_type", .string("geglu")),
      ]
    })
}

/// Attention with linear biases (Press et al. 2022).
enum ALiBi {
  /// The slope of each head: a geometric series from `2^(-8 / n)` down to 2^-8 for a power of two
  /// n, and every other slope of twice as many heads for those beyond it.
  static func slopes(heads: Int, largest: Double = 8) -> [Float] {
    func series(_ count: Int) -> [Float] {
      (1...count).map { Float(exp2(-largest * Double($0) / Double(count))) }
    }
    var count = 1
    while 2 * count <= heads { count *= 2 }
    let more = series(2 * count)
    return series(count) + (0..<heads - count).map { more[2 * $0] }
  }
}
