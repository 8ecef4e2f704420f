package import VDSQFormat

/// The names of an architecture in GGUF files, and their equivalents in Hugging Face's checkpoints.
package struct GGUFArchitecture: Sendable {
  /// The value of `general.architecture`, which is the prefix of its metadata keys too.
  package let name: String
  /// Makes the members of a `config.json` of a file's metadata.
  package let config: @Sendable (GGUFMetadata) throws(VDSQError) -> [(key: String, value: JSON)]
  /// Hugging Face's names of the tensors outside of layers, by GGUF's names.
  package let tensors: [String: String]
  /// Hugging Face's names of a layer's tensors, by GGUF's names. GGUF's are without the prefix
  /// `blk.N.`, and both are without `.weight` or `.bias`. `#` is the layer number.
  package let layerTensors: [String: String]
  /// The equivalent of `ffn_up` in files without `ffn_gate`, whose first half is the gate; nil if
  /// `ffn_up` never has the gate.
  package let gatedUp: String?
  /// The configuration key of the head size if rows of queries and keys alternate between the
  /// halves of heads; otherwise nil.
  package let alternatingHeadSize: String?
  /// Whether GGUF files store matrices by rows that Hugging Face's checkpoints store by columns.
  package let isTransposed: Bool

  /// Whether tokens attend to earlier tokens only.
  package let isCausal: Bool
  /// Whether positions are rotary.
  package let isRotary: Bool
  /// What the architecture has beside what all have.
  package let features: Set<GGUFKey.Scope>

  /// Makes a description of its properties.
  package init(
    name: String, tensors: [String: String], layerTensors: [String: String],
    gatedUp: String? = nil,
    alternatingHeadSize: String? = nil, isTransposed: Bool = false, isCausal: Bool = true,
    isRotary: Bool = false, features: Set<GGUFKey.Scope> = [],
    config:
      @escaping @Sendable (GGUFMetadata) throws(VDSQError) -> [(key: String, value: JSON)]
  ) {
    self.name = name
    self.config = config
    self.tensors = tensors
    self.layerTensors = layerTensors
    self.gatedUp = gatedUp
    self.alternatingHeadSize = alternatingHeadSize
    self.isTransposed = isTransposed
    self.isCausal = isCausal
    self.isRotary = isRotary
    self.features = features
  }
}
