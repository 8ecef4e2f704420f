package import VDSQFormat
package import VDSQKernels
package import VDSQSemantics

/// What learns one example after another: a discriminant that began with label words, or the
/// corrections of an adapter that `vdsq adapt` trained.
package enum OnlineModel {
  case discriminant(OnlineDiscriminant)
  case correction(OnlineCorrection)

  /// Reads an adapter's file.
  ///
  /// - Throws: `missingInput` or `badInput` for the file; `badInput` if it was made for another
  ///   model; `usage` if it cannot be learned on with.
  package init(path: String, model: Container, kernels: KernelTable) throws(VDSQError) {
    let file = try Container(path: path, kind: .adapter)
    if file.find(OnlineDiscriminant.Name.scatter) != nil {
      self = .discriminant(
        try OnlineDiscriminant(path: path, model: model, kernels: kernels))
    } else {
      self = .correction(
        try OnlineCorrection(file, try Adapter(file, model: model), kernels: kernels))
    }
  }

  package var labels: LabelSet {
    switch self {
    case .discriminant(let model): model.labels
    case .correction(let model): model.labels
    }
  }

  package var count: Int {
    switch self {
    case .discriminant(let model): model.count
    case .correction(let model): model.count
    }
  }

  package mutating func learn(_ state: [Float], _ target: Int) throws(VDSQError) {
    try change(
      { (model) throws(VDSQError) in try model.learn(state, target) },
      { (model) throws(VDSQError) in try model.learn(state, target) })
  }

  package mutating func undo() throws(VDSQError) -> Int? {
    try change({ $0.undo() }, { $0.undo() })
  }

  package mutating func forget(_ label: Int) throws(VDSQError) {
    try change(
      { (model) throws(VDSQError) in try model.forget(label) },
      { (model) throws(VDSQError) in try model.forget(label) })
  }

  package mutating func add(_ label: LabelSet) throws(VDSQError) {
    try change(
      { (model) throws(VDSQError) in try model.add(label) },
      { (model) throws(VDSQError) in try model.add(label) })
  }

  /// Refuses the corrections of an adapter that `vdsq adapt` trained, which has no sums of its
  /// examples.
  ///
  /// - Throws: `usage`.
  package func checkStream() throws(VDSQError) {
    guard case .discriminant = self else {
      throw .usage("texts without labels move only an adapter that vdsq learn began")
    }
  }

  /// Notes the states of texts without labels.
  ///
  /// - Throws: as `checkStream`.
  package mutating func see(_ states: [Float]) throws(VDSQError) {
    try checkStream()
    try change({ $0.see(states) }, { _ in })
  }

  /// Forgets all texts without labels.
  ///
  /// - Throws: as `checkStream`.
  package mutating func forgetStream() throws(VDSQError) {
    try checkStream()
    try change({ $0.forgetStream() }, { _ in })
  }

  /// An adapter from all learned examples, and why texts without labels do not change it.
  package func adapter(
    modelIdentity: UInt32
  ) throws(VDSQError) -> (adapter: Adapter, refusal: UnlabelledRefusal?) {
    switch self {
    case .discriminant(let model): try model.adapter(modelIdentity: modelIdentity)
    case .correction(let model): (model.corrected(), nil)
    }
  }

  /// Writes the adapter's file.
  ///
  /// - Throws: `usage` if it cannot be written.
  /// - Returns: as `adapter`.
  package func write(
    to path: String, modelIdentity: UInt32, replace: Bool
  ) throws(VDSQError) -> (adapter: Adapter, refusal: UnlabelledRefusal?) {
    switch self {
    case .discriminant(let model):
      try model.write(to: path, modelIdentity: modelIdentity, replace: replace)
    case .correction(let model): (try model.write(to: path, replace: replace), nil)
    }
  }

  private mutating func change<Result>(
    _ discriminant: (inout OnlineDiscriminant) throws(VDSQError) -> Result,
    _ correction: (inout OnlineCorrection) throws(VDSQError) -> Result
  ) throws(VDSQError) -> Result {
    switch self {
    case .discriminant(var model):
      let result = try discriminant(&model)
      self = .discriminant(model)
      return result
    case .correction(var model):
      let result = try correction(&model)
      self = .correction(model)
      return result
    }
  }
}
