package import VDSQFormat
package import VDSQInference

/// A repair of a causal language model: updates of some neurons of its down projections, which
/// `vdsq repair` computed (docs/repair.md).
///
///     var options = RunOptions()
///     options.repair = try model.repair(path: "fix.vdsa")
public struct Repair: Sendable {
  /// The updates.
  package let updates: NeuronUpdates
  /// The identity of the model that is repaired (`Container.identity`).
  package let modelIdentity: UInt32
  private let hiddenSize: Int

  package init(_ updates: NeuronUpdates, hiddenSize: Int, modelIdentity: UInt32) {
    self.updates = updates
    self.hiddenSize = hiddenSize
    self.modelIdentity = modelIdentity
  }

  /// The names of tensors.
  private enum Name {
    static func neurons(_ layer: Int) -> String { "repair.\(layer).neurons" }
    static func vectors(_ layer: Int) -> String { "repair.\(layer).vectors" }
  }

  /// The value of the metadata key `content`, by which a repair is told from other adapters.
  private static let content = "repair"

  /// Whether an adapter's file has a repair.
  static func isRepair(_ file: Container) -> Bool {
    file.metadata.find("content")?.utf8.elementsEqual(content.utf8) ?? false
  }

  /// Reads a repair's file.
  ///
  /// - Parameter model: the model with which it will be used.
  /// - Throws: `missingInput` or `badInput` for the file; `badInput` if it has something else, or
  ///   was made for another model.
  package init(path: String, model: Container) throws(VDSQError) {
    let file = try Container(path: path, kind: .adapter)
    try file.verify()
    guard Self.isRepair(file) else {
      throw .badInput("\(path): this adapter labels texts and repairs no model")
    }
    modelIdentity = UInt32(
      try file.metadata.integer("model_identity", in: 0...Int(UInt32.max)))
    guard modelIdentity == model.identity else {
      throw .badInput(
        "\(path): this repair was made for another model than \(model.path); repair this one again")
    }
    let c = try Architecture(model.metadata)
    hiddenSize = c.hiddenSize
    guard try file.metadata.integer("dimensions", in: 1...1 << 24) == hiddenSize else {
      throw .badInput(
        "\(path): the repair's vectors do not have the model's \(hiddenSize) dimensions")
    }
    var layers: [NeuronUpdates.Layer] = []
    for layer in try Self.layers(file, count: c.layers) {
      let neurons = Name.neurons(layer), vectors = Name.vectors(layer)
      guard let view = file.find(neurons), view.record.shape.count == 1 else {
        throw .badInput("\(path): there is no tensor \(neurons) of one dimension")
      }
      let size = view.record.shape[0]
      var columns: [Int32] = []
      for value in try file.finiteFloats(neurons, shape: [size]) {
        guard value >= 0, value < min(0x1p24, Float(c.intermediateSize)), value == value.rounded()
        else {
          throw .badInput("\(path): tensor \(neurons) has a value that is no neuron of the model")
        }
        columns.append(Int32(value))
      }
      layers.append(
        NeuronUpdates.Layer(
          layer: layer, neurons: columns,
          vectors: try file.finiteFloats(vectors, shape: [size, hiddenSize])))
    }
    updates = NeuronUpdates(layers)
  }

  /// The changed layers, from 0, ascending.
  ///
  /// - Parameter count: the number of layers of the model.
  private static func layers(_ file: Container, count: Int) throws(VDSQError) -> [Int] {
    var layers: [Int] = []
    for part in (file.metadata.find("layers") ?? "").utf8.split(
      separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    {
      guard let layer = Int(String(Substring(part))), layer > layers.last ?? -1, layer < count
      else {
        throw .badInput(
          "\(file.path): metadata: layers are not ascending ones of the model, such as 26,27")
      }
      layers.append(layer)
    }
    return layers
  }

  /// The contents of its file, in order.
  package var contents: AdapterContents {
    var contents = AdapterContents()
    contents.metadata.set("content", .text(Self.content))
    contents.metadata.set("model_identity", .integer(Int(modelIdentity)))
    contents.metadata.set("dimensions", .integer(hiddenSize))
    var layers = ""
    for own in updates.layers {
      if !layers.utf8.isEmpty { layers += "," }
      layers += "\(own.layer)"
      contents.add(
        Name.neurons(own.layer), .float32(own.neurons.map { Float($0) }),
        shape: [own.neurons.count])
      contents.add(
        Name.vectors(own.layer), .float32(own.vectors), shape: [own.neurons.count, hiddenSize])
    }
    contents.metadata.set("layers", .text(layers))
    return contents
  }
}
