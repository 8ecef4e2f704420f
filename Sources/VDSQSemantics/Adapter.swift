public import VDSQFormat
public import VDSQInference
public import VDSQKernels

/// What examples taught of a task, bound to the model whose states they were: the labels' fixed anchors,
/// and either of two ways to correct them.
///
/// Semantic calibration moves states: `h' = h + up (down h) + offset` clusters them around the anchors
/// (design section 2.4). A linear head replaces the cosines: logits `weights h + bias`, of which the
/// anchors were the prior.
public struct Adapter: Sendable {
  /// Logits that are linear in the state.
  public struct LinearHead: Sendable {
    /// `[labels, dimensions]`.
    public let weights: [Float]
    /// `[labels]`.
    public let bias: [Float]

    public init(weights: [Float], bias: [Float]) {
      self.weights = weights
      self.bias = bias
    }

    /// A state's logits, one for each label.
    ///
    /// - Parameters:
    ///   - state: as many floats as a label has weights.
    ///   - out: room for as many floats as there are labels.
    public func logits(
      _ state: UnsafePointer<Float>, _ kernels: KernelTable, into out: UnsafeMutablePointer<Float>
    ) {
      kernels.dotRows(state, weights, bias.count, weights.count / bias.count, out)
      for label in bias.indices { out[label] += bias[label] }
    }
  }

  public let labels: LabelSet
  /// What of lower layers it reads beside a sentence encoder's vector.
  public let lowerStates: [LowerState]
  /// Softmax temperature of the cosines that it was trained with; a linear head's is in its weights.
  public let temperature: Float
  public let head: LinearHead?
  /// Of the residual module; 0 where there is a linear head instead.
  public let rank: Int
  /// `[rank, dimensions]`.
  public let down: [Float]
  /// `[dimensions, rank]`, transposed: `[rank, dimensions]`, a column a row.
  public let up: [Float]
  /// `[dimensions]`.
  public let offset: [Float]
  /// The identity of the model whose states it was trained on.
  public let modelIdentity: UInt32

  public init(
    labels: LabelSet, temperature: Float, rank: Int, down: [Float], up: [Float], offset: [Float],
    modelIdentity: UInt32
  ) {
    self.labels = labels
    self.temperature = temperature
    self.rank = rank
    self.down = down
    self.up = up
    self.offset = offset
    self.modelIdentity = modelIdentity
    head = nil
    lowerStates = []
  }

  /// An adapter that leaves states alone and has a linear head.
  public init(
    labels: LabelSet, lowerStates: [LowerState] = [], head: LinearHead, modelIdentity: UInt32
  ) {
    self.labels = labels
    self.lowerStates = lowerStates
    self.head = head
    self.modelIdentity = modelIdentity
    temperature = 1
    rank = 0
    down = []
    up = []
    offset = []
  }

  /// The adapter with its displacement scaled: 0 is the identity, 1 this adapter.
  public func scaled(by strength: Float) -> Adapter {
    Adapter(
      labels: labels, temperature: temperature, rank: rank, down: down,
      up: up.map { $0 * strength }, offset: offset.map { $0 * strength },
      modelIdentity: modelIdentity)
  }

  /// The names of an adapter's parts in its file.
  public enum Name {
    public static let anchors = "anchors"
    public static let weights = "head.weight"
    public static let bias = "head.bias"
    public static let down = "calibration.down"
    public static let up = "calibration.up"
    public static let offset = "calibration.offset"
    public static func label(_ index: Int) -> String { "label.\(index)" }
  }

  /// Reads an adapter file.
  ///
  /// - Parameter model: the container that it is to be used with.
  /// - Throws: `missingInput` or `badInput` for the file, `badInput` where it was made for another
  ///   model.
  public init(path: String, model: Container) throws(VDSQError) {
    let file = try Container(path: path, kind: .adapter)
    // An adapter is small and all of it counts, so all of it is verified.
    try file.verify()
    let identity = try file.metadata.integer("model_identity", in: 0...Int(UInt32.max))
    modelIdentity = UInt32(identity)
    guard modelIdentity == model.identity else {
      throw .badInput(
        "\(path): this adapter was made for another model than \(model.path); run vdsq adapt again")
    }
    let d = try file.metadata.integer("dimensions", in: 1...1 << 24)
    lowerStates = try Self.layers(file.metadata.find("lower_layers") ?? "", path)
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
    labels = LabelSet(
      names: names, dimensions: d,
      anchors: try Self.floats(file, Name.anchors, shape: [count, d]))
    if file.find(Name.weights) != nil {
      head = LinearHead(
        weights: try Self.floats(file, Name.weights, shape: [count, d]),
        bias: try Self.floats(file, Name.bias, shape: [count]))
      rank = 0
      (down, up, offset) = ([], [], [])
    } else {
      head = nil
      rank = try file.metadata.integer("rank", in: 1...65536)
      down = try Self.floats(file, Name.down, shape: [rank, d])
      up = try Self.floats(file, Name.up, shape: [rank, d])
      offset = try Self.floats(file, Name.offset, shape: [d])
    }
  }

  /// `4,5,5:first`
  private static func layers(_ text: String, _ path: String) throws(VDSQError) -> [LowerState] {
    var states: [LowerState] = []
    for part in text.utf8.split(separator: UInt8(ascii: ",")) {
      let suffix: StaticString = ":first"
      let isFirst = suffix.withUTF8Buffer { part.suffix($0.count).elementsEqual($0) }
      let number = isFirst ? part.dropLast(suffix.utf8CodeUnitCount) : part
      guard let layer = Int(String(Substring(number))), layer >= 1, layer <= 1024, states.count < 16
      else { throw .badInput("\(path): metadata: lower_layers are not such as 4,5,5:first") }
      states.append(LowerState(layer, isFirstWord: isFirst))
    }
    return states
  }

  /// The model's encoder with the states that the adapter reads.
  ///
  /// - Throws: what `TextEncoder` does, and `badInput` where states have other dimensions.
  public func encoder(
    _ model: Container, options: TextEncoder.Options
  ) throws(VDSQError) -> TextEncoder {
    var options = options
    options.lowerStates = lowerStates
    let encoder = try TextEncoder(model, options: options)
    guard labels.dimensions == encoder.dimensions else {
      throw .badInput("\(model.path): the adapter's dimensions are not the model's")
    }
    return encoder
  }

  private static func floats(
    _ file: Container, _ name: String, shape: [Int]
  ) throws(VDSQError) -> [Float] {
    let start = try file.floats(name, shape: shape)
    let values = Array(UnsafeBufferPointer(start: start, count: shape.reduce(1, *)))
    for value in values where !value.isFinite {
      throw .badInput("\(file.path): tensor \(name) has a value that is not finite")
    }
    return values
  }
}
