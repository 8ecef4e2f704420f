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
  /// Whether the tensor is optional in checkpoints.
  var isOptional = false

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

  var optional: TensorRule {
    var rule = self
    rule.isOptional = true
    return rule
  }

  /// The weight and the bias of a linear layer.
  static func linear(
    _ name: String, _ sources: [String], rows: [Axis], _ columns: Axis,
    layout: SourceLayout = .rows, optionalBias: Bool = false
  ) -> [TensorRule] {
    let bias = TensorRule(
      "\(name).bias", sources.map { $0 + ".bias" }, .vector, rows: rows, nil,
      layout: layout == .headByHead ? .headByHead : .rows)
    return [
      TensorRule(
        "\(name).weight", sources.map { $0 + ".weight" }, .linear, rows: rows, columns,
        layout: layout),
      optionalBias ? bias.optional : bias,
    ]
  }

  /// The gain and the bias of a norm.
  static func norm(
    _ name: String, _ source: String, _ axis: Axis = .hidden, hasBias: Bool = true
  ) -> [TensorRule] {
    (hasBias ? ["weight", "bias"] : ["weight"]).map {
      TensorRule("\(name).\($0)", ["\(source).\($0)"], .vector, [axis])
    }
  }
}
