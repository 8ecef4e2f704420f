public import VDSQFormat
public import VDSQInference
public import VDSQKernels

/// The result of training on examples, bound to the model whose states it was trained on: the
/// anchors of the labels, and a classifier that replaces or corrects their cosines.
public struct Adapter: Sendable {
  /// How anchors' cosines are corrected.
  public enum Correction: Sendable {
    /// Logits in place of cosines, of which the anchors were the prior.
    case head(LinearHead)
    /// The same, and examples' votes beside them.
    case kernel(LinearHead, KernelHead)
    /// Semantic calibration: states are moved before they are compared with the anchors.
    case module(ResidualModule)
    /// A vote of the closest examples in place of cosines.
    case neighbors(Neighbors)
  }

  public let labels: LabelSet
  /// What of lower layers it reads beside a sentence encoder's vector.
  public let intermediateFeatures: [IntermediateFeature]
  /// Low-rank updates of the encoder's weights; nil if there are none.
  public let updates: LowRankUpdates?
  /// The softmax temperature of the cosines or logits.
  public let temperature: Float
  public let correction: Correction
  /// The identity of the model whose states it was trained on.
  public let modelIdentity: UInt32

  public init(
    labels: LabelSet, intermediateFeatures: [IntermediateFeature] = [],
    updates: LowRankUpdates? = nil,
    temperature: Float = 1,
    correction: Correction, modelIdentity: UInt32
  ) {
    self.labels = labels
    self.intermediateFeatures = intermediateFeatures
    self.updates = updates
    self.temperature = temperature
    self.correction = correction
    self.modelIdentity = modelIdentity
  }

  /// Bytes of its numbers in memory.
  public var bytes: Int {
    var count = labels.anchors.count + (updates?.values.count ?? 0)
    switch correction {
    case .head(let head): count += head.weights.count + head.bias.count
    case .kernel(let head, let kernel):
      count += head.weights.count + head.bias.count + kernel.centers.count / 2 + kernel.votes.count
    case .module(let module): count += module.down.count + module.up.count + module.offset.count
    case .neighbors(let neighbors): count += neighbors.states.count + 2 * neighbors.targets.count
    }
    return 4 * count
  }

  /// The names of the tensors and metadata of an adapter's file.
  public enum Name {
    public static let anchors = "anchors"
    public static let weights = "head.weight"
    public static let bias = "head.bias"
    public static let centers = "kernel.centers"
    public static let votes = "kernel.votes"
    public static let down = "calibration.down"
    public static let up = "calibration.up"
    public static let offset = "calibration.offset"
    public static let neighbors = "neighbors.states"
    public static let neighborLabels = "neighbors.labels"
    public static let updates = "updates"
    public static func label(_ index: Int) -> String { "label.\(index)" }
  }

  /// Reads an adapter file.
  ///
  /// - Parameter model: the model with which the adapter will be used.
  /// - Throws: `missingInput` or `badInput` for the file; `badInput` if it was made for another
  ///   model.
  public init(path: String, model: Container) throws(VDSQError) {
    try self.init(try Container(path: path, kind: .adapter), model: model)
  }

  /// Reads an open adapter file.
  ///
  /// - Throws: as above.
  public init(_ file: Container, model: Container) throws(VDSQError) {
    let path = file.path
    // An adapter is small, so all of its checksums are verified.
    try file.verify()
    let identity = try file.metadata.integer("model_identity", in: 0...Int(UInt32.max))
    modelIdentity = UInt32(identity)
    guard modelIdentity == model.identity else {
      throw .badInput(
        "\(path): this adapter was made for another model than \(model.path); run vdsq adapt again")
    }
    let d = try file.metadata.integer("dimensions", in: 1...1 << 24)
    intermediateFeatures = try Self.layers(file.metadata.find("lower_layers") ?? "", path)
    updates = try Self.updates(file)
    let blocks = intermediateFeatures.count + 1
    guard d % blocks == 0 else {
      throw .badInput("\(path): metadata: dimensions are not those of \(blocks) states")
    }
    let count = try file.metadata.integer("labels", in: 1...65536)
    temperature = Float(try file.metadata.number("temperature"))
    guard temperature > 0 else { throw .badInput("\(path): the temperature is not positive") }
    var names: [String] = []
    for i in 0..<count {
      guard let name = file.metadata.find(Name.label(i)) else {
        throw .badInput("\(path): label \(i) has no name")
      }
      names.append(name)
    }
    var outOfScope: Int?
    if let name = file.metadata.find("out_of_scope") {
      outOfScope = names.firstIndex { $0.utf8.elementsEqual(name.utf8) }
      if outOfScope == nil { throw .badInput("\(path): metadata: out_of_scope is no label") }
    }
    labels = LabelSet(
      names: names, dimensions: d,
      anchors: try file.finiteFloats(Name.anchors, shape: [count, d]), outOfScope: outOfScope)
    if file.find(Name.weights) != nil {
      let head = LinearHead(
        weights: try file.finiteFloats(Name.weights, shape: [count, d]),
        bias: try file.finiteFloats(Name.bias, shape: [count]))
      if file.find(Name.centers) == nil {
        correction = .head(head)
      } else {
        correction = .kernel(head, try KernelHead(file, labels: count, dimensions: d / blocks))
      }
    } else if let view = file.find(Name.neighbors) {
      let examples = view.record.shape.first ?? 0
      guard examples > 0 else { throw .badInput("\(path): tensor \(Name.neighbors) is empty") }
      var targets: [Int] = []
      for target in try file.finiteFloats(Name.neighborLabels, shape: [examples]) {
        guard target >= 0, target < Float(count), target == target.rounded(.down) else {
          throw .badInput("\(path): tensor \(Name.neighborLabels) has a value that is no label")
        }
        targets.append(Int(target))
      }
      correction = .neighbors(
        Neighbors(
          states: try file.finiteFloats(Name.neighbors, shape: [examples, d]), targets: targets,
          count: try file.metadata.integer("neighbors", in: 1...examples),
          sharpness: Float(try file.metadata.number("sharpness"))))
    } else {
      let rank = try file.metadata.integer("rank", in: 1...65536)
      correction = .module(
        ResidualModule(
          rank: rank, down: try file.finiteFloats(Name.down, shape: [rank, d]),
          up: try file.finiteFloats(Name.up, shape: [rank, d]),
          offset: try file.finiteFloats(Name.offset, shape: [d])))
    }
  }

  /// The file's updates of an encoder's weights.
  private static func updates(_ file: Container) throws(VDSQError) -> LowRankUpdates? {
    guard let view = file.find(Name.updates) else { return nil }
    let shape = view.record.shape
    guard shape.count == 4, shape[1] == 2, shape[2] > 0, shape[2] % 2 == 0, shape[0] > 0,
      shape[3] > 0
    else {
      throw .badInput(
        "\(file.path): tensor \(Name.updates) is not [layers, 2, 2 rank, hidden size]")
    }
    return LowRankUpdates(
      rank: shape[2] / 2, layers: shape[0], hiddenSize: shape[3],
      values: try file.finiteFloats(Name.updates, shape: shape))
  }

  /// `4,5,5:first`
  private static func layers(_ text: String, _ path: String) throws(VDSQError)
    -> [IntermediateFeature]
  {
    var states: [IntermediateFeature] = []
    for part in text.utf8.split(separator: UInt8(ascii: ",")) {
      let suffix: StaticString = ":first"
      let isFirst = suffix.withUTF8Buffer { part.suffix($0.count).elementsEqual($0) }
      let number = isFirst ? part.dropLast(suffix.utf8CodeUnitCount) : part
      guard let layer = Int(String(Substring(number))), layer >= 1, layer <= 1024, states.count < 16
      else { throw .badInput("\(path): metadata: lower_layers are not such as 4,5,5:first") }
      states.append(IntermediateFeature(layer, of: isFirst ? .firstToken : .pooled))
    }
    return states
  }

  /// An encoder of the model with the intermediate features and the weight updates of the adapter.
  ///
  /// - Throws: the errors of `TextEncoder`, and `badInput` if states have other dimensions.
  public func encoder(
    _ model: Container, options: TextEncoder.Options
  ) throws(VDSQError) -> TextEncoder {
    var options = options
    options.intermediateFeatures = intermediateFeatures
    options.updates = updates
    let encoder = try TextEncoder(model, options: options)
    guard labels.dimensions == encoder.dimensions else {
      throw .badInput("\(model.path): the adapter's dimensions are not the model's")
    }
    return encoder
  }
}

extension Container {
  /// The elements of a small float32 tensor of a known shape.
  ///
  /// - Throws: `badInput` if the file has no tensor of that name, shape and type, or a value is not
  ///   finite.
  public func finiteFloats(_ name: String, shape: [Int]) throws(VDSQError) -> [Float] {
    let start = try floats(name, shape: shape)
    let values = Array(UnsafeBufferPointer(start: start, count: shape.reduce(1, *)))
    for value in values where !value.isFinite {
      throw .badInput("\(path): tensor \(name) has a value that is not finite")
    }
    return values
  }
}
