package import VDSQCheckpoints
import VDSQFormat

/// An architecture of Hugging Face's checkpoints: its names of tensors and of configuration keys,
/// and how the two describe a model.
///
/// Each file in this folder describes one architecture, and `all` lists them. The converter, the
/// readers of GGUF and llama2.c files, and messages about supported architectures use the list.
package struct CheckpointArchitecture: Sendable {
  /// The name of the family, in docs/models.md.
  package let title: String
  /// What the tests compare it with, and real checkpoints that are measured, in docs/models.md.
  package var references = ["transformers"]
  /// The values of `model_type` in `config.json`.
  package let modelTypes: [String]
  /// The keys of `config.json` that the architecture has beside those of all.
  package var settings: [SettingKey]
  /// The class of transformers' tokenizer for each `model_type`, unless a folder names another.
  let tokenizerClasses: [String: String]
  /// Whether the class is always that of the `model_type`, whatever a folder names.
  var ignoresTokenizerClass = false
  /// Whether these classes give token types to the model.
  var tokenizersHaveTypes = true
  /// Reads `config.json`.
  var configuration: @Sendable (ConfigReader) throws(VDSQError) -> CheckpointConfiguration
  /// Optional prefixes of all tensor names except those of the head, the most specific first.
  package let prefixes: [String]
  /// The tensors before the layers. The word embeddings come first.
  package let embeddings: [TensorRule]
  /// The tensors of a layer; `#` is the layer number.
  let layer: [TensorRule]
  /// The tensors after the last layer.
  var final: [TensorRule] = []
  /// The head of the language model.
  let head: LanguageModelHead
  /// The head of `...ForSequenceClassification`; nil if it is not supported.
  package var textHead: HeadNames?
  /// The head of `...ForTokenClassification`; nil if it is not supported.
  package var tokenHead: HeadNames?
  /// The architecture's names in GGUF files; nil if such files are not supported.
  package var gguf: GGUFArchitecture?
  /// Classes of code beside checkpoints (`auto_map`) that compute what the architecture does.
  var code: [String] = []
  /// Other architectures, or other names, of checkpoints with the same `model_type`.
  var variants: [Variant] = []

  /// The variants, without how they are told.
  package var variantArchitectures: [CheckpointArchitecture] { variants.map(\.architecture) }

  /// An architecture of some of the checkpoints with a `model_type`.
  struct Variant: Sendable {
    /// Whether a checkpoint has it.
    let isOf: @Sendable (Checkpoint) -> Bool
    let architecture: CheckpointArchitecture
  }

  /// The architecture of checkpoints that have a tensor whose name ends like this.
  static func variant(
    ending name: String, _ architecture: CheckpointArchitecture
  ) -> Variant {
    Variant(
      isOf: { $0.tensors.keys.contains { $0.hasSuffix(name) } }, architecture: architecture)
  }
}

extension CheckpointArchitecture {
  /// Every architecture that can be converted.
  package static let all: [CheckpointArchitecture] = [
    bert, distilBERT, roberta, electra, mpnet, albert, deberta, nomicBERT, gte, modernBERT, gpt2,
    llama, mistral, qwen2, qwen3, phi, phi3, gemma, gemma2, gemma3, olmo2, stableLM, smolLM3,
    granite, gptNeoX, falcon, mpt, staticEmbeddings,
  ]

  /// Every architecture and every variant of one.
  package static var withVariants: [CheckpointArchitecture] {
    all.flatMap { [$0] + $0.variantArchitectures }
  }

  /// The architectures that can be read from ONNX files: those with the layers of BERT.
  package static let onnx = [bert, distilBERT, roberta, electra]

  /// The names of an encoder's tensors.
  package var encoderNames: EncoderNames {
    EncoderNames(
      modelTypes: modelTypes,
      sources: Dictionary(
        (embeddings + layer).map { ($0.name, $0.sources) }, uniquingKeysWith: { $1 }))
  }

  /// Every `model_type` that can be converted, for messages.
  package static var supportedModelTypes: String {
    all.flatMap(\.modelTypes).joined(separator: ", ")
  }

  /// Every `general.architecture` of GGUF files that can be converted, for messages.
  package static var supportedGGUF: String {
    withVariants.compactMap(\.gguf?.name).joined(separator: ", ")
  }

  /// The architecture of a checkpoint.
  ///
  /// - Throws: `badInput` if its configuration names no architecture, or an unsupported one.
  static func of(_ checkpoint: Checkpoint) throws(VDSQError) -> CheckpointArchitecture {
    guard let type = checkpoint.config["model_type"]?.text else {
      throw .badInput(
        "\(checkpoint.path)/config.json: no model_type; supported: \(supportedModelTypes)")
    }
    guard let architecture = all.first(where: { $0.modelTypes.contains(type) }) else {
      throw .badInput(
        "\(checkpoint.path): architecture \(type) is not supported; supported: "
          + supportedModelTypes)
    }
    return architecture.variants.first { $0.isOf(checkpoint) }?.architecture ?? architecture
  }
}
