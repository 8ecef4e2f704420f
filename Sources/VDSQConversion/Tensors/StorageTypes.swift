extension Converter.Options {
  /// The type that a tensor of a name should have.
  func storage(_ name: String) -> Converter.Weights {
    keep.last { $0.matches(name) }?.weights ?? weights
  }

  /// The type of a tensor of a model: eight bits where it should have four and cannot.
  ///
  /// Four bits are unpacked eight columns at a time. Rows that states are compared with, those of
  /// an LM head and of coarse search, have no groups.
  func storage(_ tensor: ModelSource.Tensor, of model: ModelSource) -> Converter.Weights {
    let wanted = storage(tensor.rows.name)
    guard wanted == .int4 else { return wanted }
    let canHaveFourBits =
      switch tensor.role {
      case .linear: true
      case .wordTable: model.vocabulary == nil && !coarse
      case .vector, .positionTable, .head: false
      }
    return canHaveFourBits && tensor.rows.columns % 8 == 0 ? .int4 : .int8
  }
}
