/// One tensor of the container: its sources and their shapes.
package struct TensorRule: Sendable {
  /// The name in the container; `#` is the layer number.
  package let name: String
  /// The names in the checkpoint, whose rows are stacked.
  let sources: [String]
  let role: TensorRole
  /// The first axis of each source, in the container's layout.
  let rows: [Axis]
  /// The other axis; nil for vectors.
  let columns: Axis?
  var layout = SourceLayout.rows
  var presence = Presence.required
  /// Whether the first layer lacks the tensor.
  var isBehindFirstLayer = false
  /// What folders have subtracted from each element. Other formats store what is computed with.
  var offset: Float = 0

  /// Which checkpoints have a tensor.
  enum Presence: Sendable {
    /// Every checkpoint.
    case required
    /// Those that store it.
    case optional
    /// In folders, those whose configuration has this flag, or lacks it if that is the default.
    /// transformers drops the tensor from others. In a single file, those that store it.
    case declared(_ key: String, default: Bool)
    /// Those whose axis is not empty.
    case filled(Axis)
    /// Those whose two axes differ in length.
    case unequal(Axis, Axis)
  }

  init(_ name: String, _ sources: [String], _ role: TensorRole, _ shape: [Axis]) {
    self.init(
      name, sources, role, rows: sources.map { _ in shape[0] }, shape.count > 1 ? shape[1] : nil)
  }

  init(
    _ name: String, _ sources: [String], _ role: TensorRole, rows: [Axis], _ columns: Axis?,
    layout: SourceLayout = .rows
  ) {
    self.name = name
    self.sources = sources
    self.role = role
    self.rows = rows
    self.columns = columns
    self.layout = layout
  }

  func when(_ presence: Presence) -> TensorRule {
    var rule = self
    rule.presence = presence
    return rule
  }

  /// The rule for all layers but the first.
  func behindFirstLayer() -> TensorRule {
    var rule = self
    rule.isBehindFirstLayer = true
    return rule
  }

  /// The weight and the bias of a linear layer.
  ///
  /// - Parameter bias: which checkpoints have the bias; nil for none.
  static func linear(
    _ name: String, _ sources: [String], rows: [Axis], _ columns: Axis,
    layout: SourceLayout = .rows, bias presence: Presence? = .required
  ) -> [TensorRule] {
    let weight = TensorRule(
      "\(name).weight", sources.map { $0 + ".weight" }, .linear, rows: rows, columns,
      layout: layout)
    guard let presence else { return [weight] }
    let bias = TensorRule(
      "\(name).bias", sources.map { $0 + ".bias" }, .vector, rows: rows, nil,
      layout: layout == .columns ? .rows : layout)
    return [weight, bias.when(presence)]
  }

  /// The gain and the bias of a norm.
  ///
  /// - Parameters:
  ///   - offset: what folders have subtracted from the gain.
  ///   - bias: which checkpoints have the bias, if there is one.
  static func norm(
    _ name: String, _ source: String, _ axis: Axis = .hidden, hasBias: Bool = true,
    offset: Float = 0, bias: Presence = .required
  ) -> [TensorRule] {
    (hasBias ? ["weight", "bias"] : ["weight"]).map {
      var rule = TensorRule("\(name).\($0)", ["\(source).\($0)"], .vector, [axis])
      rule.offset = offset
      return $0 == "bias" ? rule.when(bias) : rule
    }
  }
}
