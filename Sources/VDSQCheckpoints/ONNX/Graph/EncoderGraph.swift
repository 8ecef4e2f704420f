package import VDSQFormat

/// An encoder that was read from an ONNX graph: what its operations compute, and its weights by the
/// names of Hugging Face's checkpoints.
package struct EncoderGraph {
  /// The ONNX file.
  package let path: String
  package let layers: Int
  package let heads: Int
  package let epsilon: Double
  /// The name of the activation function in configurations.
  package let activation: String
  /// The row of the position table for the first token.
  package let firstPosition: Int
  /// Tokens of the only length of texts that the graph has; nil if it has any.
  package let fixedTokens: Int?
  /// How the graph makes the vector of a text; nil if it makes the states of tokens only.
  package let vector: (pooling: String, normalizes: Bool)?
  /// The weights, by their names in checkpoints.
  package private(set) var tensors: [String: SourceTensor] = [:]
  private let names: EncoderNames

  /// - Throws: `badInput`, naming the first operation that an encoder does not have, or an output
  ///   that is none of one.
  package init(_ model: ONNXModel, _ names: EncoderNames) throws(VDSQError) {
    let reader = try GraphReader(model)
    let outputs = try GraphOutputs(reader)
    let chain = try EncoderChain(reader, last: outputs.states)
    path = model.file.path
    self.names = names
    layers = chain.layers.count
    heads = chain.heads!
    epsilon = chain.epsilon!
    activation = chain.activation!
    vector = outputs.vector
    let shape = model.inputs.first { $0.name == "input_ids" }?.shape ?? []
    fixedTokens = shape.count == 2 ? shape[1] : nil
    var first: Int?
    for (row, _) in chain.tables {
      if case .position(let own) = row { first = own }
    }
    firstPosition = first ?? 0
    try add(chain)
  }

  private mutating func add(_ chain: EncoderChain) throws(VDSQError) {
    for (row, table) in chain.tables {
      let name =
        switch row {
        case .word: "embeddings.word"
        case .position: "embeddings.position"
        case .type, .firstType: "embeddings.token_type"
        }
      let source = try source(name)
      guard tensors[source] == nil, let tensor = table.table(source) else {
        throw unusable(source)
      }
      tensors[source] = tensor
    }
    if let norm = chain.embeddingNorm { try add(norm, "embeddings.norm") }
    if let projection = chain.projection { try add([projection], "embeddings.projection") }
    for (index, layer) in chain.layers.enumerated() {
      try add(layer.projections, "layer.#.attention.qkv", index)
      try add([layer.output], "layer.#.attention.output", index)
      try add(layer.attentionNorm, "layer.#.attention.norm", index)
      try add([layer.up], "layer.#.feed_forward.up", index)
      try add([layer.down], "layer.#.feed_forward.down", index)
      try add(layer.outputNorm, "layer.#.feed_forward.norm", index)
    }
  }

  private mutating func add(
    _ norm: EncoderChain.Norm, _ name: String, _ layer: Int = 0
  ) throws(VDSQError) {
    for (kind, weight) in [("weight", norm.gain), ("bias", norm.bias)] {
      let source = try source("\(name).\(kind)", layer)
      guard let tensor = weight.vector(source, 0..<weight.count) else { throw unusable(source) }
      tensors[source] = tensor
    }
  }

  private mutating func add(
    _ parts: [EncoderChain.Linear], _ name: String, _ layer: Int = 0
  ) throws(VDSQError) {
    for (place, part) in parts.enumerated() {
      let weight = try source("\(name).weight", layer, place)
      let bias = try source("\(name).bias", layer, place)
      guard let matrix = part.weight.linear(weight, outputs: part.outputs) else {
        throw unusable(weight)
      }
      guard let vector = part.bias.vector(bias, part.outputs) else { throw unusable(bias) }
      (tensors[weight], tensors[bias]) = (matrix, vector)
    }
  }

  /// The name in checkpoints of a part of a container's tensor.
  private func source(
    _ name: String, _ layer: Int = 0, _ place: Int = 0
  ) throws(VDSQError) -> String {
    guard let sources = names.sources[name], sources.indices.contains(place) else {
      throw .badInput(
        "\(path): the graph has \(name), which a model of type \(names.modelTypes[0]) does not have"
      )
    }
    return sources[place].split(separator: "#", omittingEmptySubsequences: false)
      .joined(separator: "\(layer)")
  }

  private func unusable(_ name: String) -> VDSQError {
    .badInput("\(path): the weights that are \(name) are in a form that is not supported")
  }
}
