import VDSQCheckpoints
import VDSQFormat

/// Resolves an architecture's rules to the tensors of a checkpoint, whose shapes it checks.
struct TensorResolver {
  let folder: Checkpoint
  let prefix: String
  let heads: Int
  let size: (Axis) -> Int

  /// - Parameter prefixes: the possible prefixes of the first rule's source.
  /// - Throws: `badInput` if the tensor is missing under every prefix.
  static func prefix(
    _ prefixes: [String], of rule: TensorRule, in folder: Checkpoint
  ) throws(VDSQError) -> String {
    let probe = rule.sources[0]
    guard let prefix = prefixes.first(where: { folder.tensors[$0 + probe] != nil }) else {
      throw .badInput("\(folder.path): tensor \(prefixes[0])\(probe) is missing")
    }
    return prefix
  }

  /// The tensors of some rules, without optional ones that the checkpoint does not have.
  ///
  /// - Throws: `badInput` if one is missing, has another shape, or has a type that holds no
  ///   weights.
  func tensors(_ rules: [TensorRule], layer: Int? = nil) throws(VDSQError) -> [ModelSource.Tensor] {
    var tensors: [ModelSource.Tensor] = []
    for rule in rules {
      let names = rule.sources.map { prefix + Self.named($0, layer) }
      if rule.isOptional, names.allSatisfy({ folder.tensors[$0] == nil }) { continue }
      tensors.append(try tensor(rule, names, layer))
    }
    return tensors
  }

  /// The names of a norm's parts in checkpoints that were converted from TensorFlow.
  private static func older(_ name: String) -> String {
    for (new, old) in [
      ("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta"),
    ]
    where name.hasSuffix(new) { return name.dropLast(new.count) + old }
    return name
  }

  private static func named(_ template: String, _ layer: Int?) -> String {
    guard let layer else { return template }
    return template.split(separator: "#", omittingEmptySubsequences: false)
      .joined(separator: "\(layer)")
  }

  private func tensor(
    _ rule: TensorRule, _ names: [String], _ layer: Int?
  ) throws(VDSQError) -> ModelSource.Tensor {
    var parts: [RowSource.Part] = []
    let columns = rule.columns.map(size) ?? 1
    for (name, axis) in zip(names, rule.rows) {
      let rows = size(axis)
      let isStoredByRows = folder.tensors[name]?.isTransposed ?? false
      let layout = rule.layout == .columns && isStoredByRows ? .rows : rule.layout
      let shape =
        rule.columns == nil ? [rows] : layout == .columns ? [columns, rows] : [rows, columns]
      let tensor = try find(name, shape: shape)
      switch layout {
      case .rows: parts.append(.init(tensor: tensor.reshaped(columns: columns), rows: 0..<rows))
      case .columns: parts.append(.init(tensor: tensor, rows: 0..<rows, transposed: true))
      case .headByHead:
        let size = rows / (3 * heads)
        for part in 0..<3 {
          for head in 0..<heads {
            let first = (head * 3 + part) * size
            parts.append(
              .init(tensor: tensor.reshaped(columns: columns), rows: first..<first + size))
          }
        }
      }
    }
    let rows = parts.reduce(0) { $0 + $1.rows.count }
    return ModelSource.Tensor(
      rows: RowSource(name: Self.named(rule.name, layer), columns: columns, parts: parts),
      role: rule.role, shape: rule.columns == nil ? [rows] : [rows, columns])
  }

  func find(_ name: String, shape: [Int]) throws(VDSQError) -> SourceTensor {
    guard let tensor = folder.tensors[name] ?? folder.tensors[Self.older(name)] else {
      if let type = folder.omitted[name] {
        throw .badInput(
          "\(folder.path): tensor \(name) has type \(type); supported: f64, f32, f16, bf16, and int8 "
            + "with scales")
      }
      throw .badInput(
        "\(folder.path): tensor \(name) is missing, or no f64, f32, f16 or bf16 tensor")
    }
    guard tensor.shape == shape else {
      throw .badInput(
        "\(tensor.file.path): tensor \(name) has shape \(tensor.shape); config.json says \(shape)")
    }
    return tensor
  }
}
