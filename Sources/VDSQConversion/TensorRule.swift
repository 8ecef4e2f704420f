/// What a tensor's axis measures.
enum Axis: Sendable {
  case hidden, intermediate, vocabulary, positions, tokenTypes
  /// Columns of the embedding tables, where they are others than the hidden size.
  case embedding
  /// All heads of queries; of keys or values; one head.
  case queries, keyValues, head
  /// Queries, keys and values in one tensor.
  case fused
}

/// What a tensor is to the model, which decides how it is stored.
enum TensorRole: Sendable {
  /// Rows looked up by token id: int8, fp16 or fp32 rows.
  case wordTable
  /// Rows looked up by position: few, so never int8.
  case positionTable
  /// A linear layer's weights: int8, fp16 or fp32 panels.
  case linear
  /// Norms and biases: float32.
  case vector
}

/// How a checkpoint lays out a linear layer.
enum SourceLayout: Sendable {
  /// `[outputs, inputs]`.
  case rows
  /// `[inputs, outputs]`, as GPT-2 has it.
  case columns
  /// Each head's queries, keys and values one after another, as GPT-NeoX has it.
  case headByHead
}

/// One tensor of the container: where it comes from and what shape each source must have.
struct TensorRule: Sendable {
  /// Name in the container; `#` stands for the layer.
  let name: String
  /// Names in the checkpoint, stacked by rows.
  let sources: [String]
  let role: TensorRole
  /// The first axis of each source, as the container has it.
  let rows: [Axis]
  /// The other axis; nil for vectors.
  let columns: Axis?
  var layout = SourceLayout.rows
  /// Whether checkpoints may do without it.
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
