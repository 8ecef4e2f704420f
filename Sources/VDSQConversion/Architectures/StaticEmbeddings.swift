import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  /// Static embeddings: model2vec (van Dongen and Tulkens 2024), sentence-transformers'
  /// StaticEmbedding, and WordLlama. The vector of a text is the mean of its tokens' rows.
  ///
  /// `Checkpoint` adds what the tokenizer and the table tell to the configuration.
  static let staticEmbeddings = CheckpointArchitecture(
    title: "Static embeddings", references: ["their own libraries"],
    modelTypes: ["model2vec", "static-embedding", "wordllama"],
    settings: SettingKey.followed(
      "normalize", "max_length", "table_rows", "table_columns", "median_token_length",
      "dropped_token")
      // How the table was made.
      + SettingKey.harmless(
        "tokenizer_name", "apply_pca", "apply_zipf", "sif_coefficient", "hidden_dim", "seq_length",
        "pooling", "embedding_dtype", "vocabulary_quantization", "token_remove_pattern")
      // The layers of a classifier behind the table.
      + SettingKey.absent("head_config"),
    tokenizerClasses: [:],
    configuration: { (config) throws(VDSQError) in try staticConfiguration(config) },
    prefixes: [""],
    embeddings: [
      TensorRule("embeddings.word", ["embeddings"], .wordTable, [.vocabulary, .embedding])
    ],
    layer: [], head: LanguageModelHead(weight: "head.weight"))

  /// Tokens of the longest text of a model that has no limit.
  private static let longest = 1 << 16

  private static func staticConfiguration(
    _ config: ConfigReader
  ) throws(VDSQError) -> CheckpointConfiguration {
    let isModel2Vec = config["model_type"]?.text == "model2vec"
    var limit: Int?
    if let stated = config.json["max_length"] {
      // Null is no limit.
      if !stated.isNull { limit = try config.size("max_length", 1 << 24) }
    } else if isModel2Vec {
      limit = 512
    }
    guard limit ?? 2 >= 2 else {
      throw .badInput("\(config.path): max_length 1 leaves no room for a text")
    }
    var architecture = Architecture(
      table: try config.size("table_columns", 65536),
      vocabularySize: try config.size("table_rows", 1 << 24),
      maximumTokens: min(limit ?? longest, longest))
    architecture.normalize = try config.flag("normalize", default: false)
    if isModel2Vec {
      architecture.droppedToken = config["dropped_token"]?.integer
      if let limit, let length = config["median_token_length"]?.integer, length > 0 {
        architecture.maximumCharacters = min(limit * length, 1 << 30)
      }
    }
    return CheckpointConfiguration(architecture: architecture)
  }
}
