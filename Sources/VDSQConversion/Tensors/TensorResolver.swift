import VDSQCheckpoints
import VDSQFormat

/// Resolves an architecture's rules to the tensors of a checkpoint, whose shapes it checks.
struct TensorResolver {
  let folder: Checkpoint
  let prefix: String
  let config: ConfigReader
  let size: (Axis) -> Int

  /// The prefix under which the checkpoint has the first source of a rule; nil if there is none.
  ///
  /// - Parameter prefixes: the possible prefixes.
  static func prefix(
    _ prefixes: [String], of rule: TensorRule, in folder: Checkpoint
  ) -> String? {
    prefixes.first { folder.tensors[$0 + rule.sources[0]] != nil }
  }

  /// The tensors of some rules, without those that the checkpoint does not have, or does not
  /// declare.
  ///
  /// - Throws: `badInput` if one is missing, has another shape, or has a type that holds no
  ///   weights.
  func tensors(_ rules: [TensorRule], layer: Int? = nil) throws(VDSQError) -> [ModelSource.Tensor] {
    var tensors: [ModelSource.Tensor] = []
    for rule in rules {
      let names = rule.sources.map { prefix + Self.named($0, layer) }
      guard try isWanted(rule, names, layer) else { continue }
      tensors.append(try tensor(rule, names, layer))
    }
    return tensors
  }

  private func isWanted(
    _ rule: TensorRule, _ names: [String], _ layer: Int?
  ) throws(VDSQError) -> Bool {
    if rule.isBehindFirstLayer, layer == 0 { return false }
    let isStored = names.contains { folder.tensors[$0] != nil }
    switch rule.presence {
    case .required: return true
    case .optional: return isStored
    case .filled(let axis): return size(axis) > 0
    case .declared where !folder.isFolder: return isStored
    case .declared(let key, let standard):
      guard try config.flag(key, default: standard) else { return false }
      // transformers would make up biases of zeros.
      guard isStored || config[key] == nil else {
        throw .badInput(
          "\(config.path): \(key) is true, but the checkpoint has no \(names[0])")
      }
      return isStored
    case .unequal(let a, let b): return size(a) != size(b)
    }
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
      case .upFirst:
        let stored = tensor.reshaped(columns: columns)
        parts.append(.init(tensor: stored, rows: rows / 2..<rows))
        parts.append(.init(tensor: stored, rows: 0..<rows / 2))
      case .buckets:
        for distance in -DistanceBuckets.limit...DistanceBuckets.limit {
          let bucket = DistanceBuckets.bucket(of: distance)
          parts.append(.init(tensor: tensor, rows: bucket..<bucket + 1))
        }
      case .groupByGroup:
        let stored = tensor.reshaped(columns: columns)
        let head = size(.head), groups = size(.keyValues) / head
        let queries = size(.queries) / groups
        let sizes = [queries, head, head]
        var start = 0
        for size in sizes {
          for group in 0..<groups {
            let first = group * (queries + 2 * head) + start
            parts.append(.init(tensor: stored, rows: first..<first + size))
          }
          start += size
        }
      }
    }
    let rows = parts.reduce(0) { $0 + $1.rows.count }
    return ModelSource.Tensor(
      rows: RowSource(
        name: Self.named(rule.name, layer), columns: columns, parts: parts,
        offset: folder.isFolder ? rule.offset : 0),
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
