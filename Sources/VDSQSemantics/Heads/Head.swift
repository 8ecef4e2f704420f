import VDSQFormat
package import VDSQKernels

/// The trained part of an adapter. It replaces the cosines to the label anchors by one logit per
/// label.
///
/// Each case is a separate type in its own file, which defines its storage, its scratch memory, its
/// logits, reading and writing. A new kind of head is a new file and a case here.
package enum Head: Sendable {
  /// Logits that are linear in the state.
  case linear(LinearHead)
  /// Linear logits plus radial basis functions around stored examples.
  case rbf(RBFHead)
  /// A residual module that moves states before they are compared with the anchors.
  case residual(ResidualModule)
  /// A vote of the most similar stored examples.
  case nearestNeighbors(NearestNeighborsHead)

  /// Floats of scratch memory that `logits` needs.
  package var scratchCount: Int {
    switch self {
    case .linear: 0
    case .rbf(let head): head.scratchCount
    case .residual(let module): module.scratchCount
    case .nearestNeighbors(let head): head.scratchCount
    }
  }

  /// The size of its numbers in memory, in bytes.
  package var bytes: Int {
    switch self {
    case .linear(let head): head.bytes
    case .rbf(let head): head.bytes
    case .residual(let module): module.bytes
    case .nearestNeighbors(let head): head.bytes
    }
  }

  /// Whether it moves states before they are compared with the anchors.
  package var movesStates: Bool {
    if case .residual = self { true } else { false }
  }

  /// Moves a state before it is compared with the anchors; only a residual module does.
  ///
  /// - Parameters:
  ///   - state: `dimensions` floats.
  ///   - moved: a copy of the state, which is changed.
  ///   - scratch: a buffer of `scratchCount` floats.
  func move(
    _ state: UnsafePointer<Float>, to moved: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, _ kernels: KernelTable
  ) {
    guard case .residual(let module) = self else { return }
    module.apply(state, to: moved, inner: scratch, kernels)
  }

  /// The logits of a state.
  ///
  /// - Parameters:
  ///   - state: `dimensions` floats.
  ///   - scratch: a buffer of `scratchCount` floats.
  ///   - logits: the cosines of the state, as `move` left it, to the labels' anchors; replaced.
  package func logits(
    _ state: UnsafePointer<Float>, dimensions: Int, scratch: UnsafeMutablePointer<Float>,
    _ kernels: KernelTable, into logits: UnsafeMutableBufferPointer<Float>
  ) {
    switch self {
    case .linear(let head): head.logits(state, kernels, into: logits.baseAddress!)
    case .rbf(let head): head.logits(state, kernels, scratch: scratch, into: logits)
    case .residual: break
    case .nearestNeighbors(let head):
      head.logits(state, dimensions: dimensions, kernels, cosines: scratch, into: logits)
    }
  }

  /// The direction in which the logit of one label grows fastest compared with another's: the
  /// gradient of their difference with respect to the state, or, for a residual module, the
  /// displacement of the state.
  ///
  /// - Parameters:
  ///   - state: the model's vector.
  ///   - columns: the number of dimensions of the model's vector, with respect to which the
  ///     gradient is taken.
  ///   - dimensions: the number of dimensions of a whole state.
  /// - Returns: `columns` floats.
  package func direction(
    toward label: Int, awayFrom other: Int, at state: [Float], columns: Int, dimensions: Int,
    kernels: KernelTable
  ) -> [Float] {
    switch self {
    case .linear(let head): head.direction(label, other, columns: columns, dimensions: dimensions)
    case .rbf(let head):
      head.direction(
        label, other, at: state, columns: columns, dimensions: dimensions, kernels: kernels)
    case .residual(let module): module.displacement(of: state)
    case .nearestNeighbors(let head): head.direction(label, other, columns: columns)
    }
  }

  /// Reads the head of an adapter's file. Nil if the file has none; labels are then compared by
  /// cosines alone.
  ///
  /// - Parameters:
  ///   - labels: the number of labels of the adapter.
  ///   - dimensions: the number of dimensions of a state.
  ///   - columns: the number of dimensions of the model's vector.
  /// - Throws: `badInput` if tensors do not match the format, or a number is not finite.
  static func read(
    _ file: Container, labels: Int, dimensions: Int, columns: Int
  ) throws(VDSQError) -> Head? {
    if file.find(RBFHead.Name.centers) != nil {
      return .rbf(try RBFHead(file, labels: labels, dimensions: dimensions, columns: columns))
    }
    if file.find(LinearHead.Name.choice.weights) != nil {
      return .linear(try LinearHead(file, labels: labels, dimensions: dimensions))
    }
    if file.find(NearestNeighborsHead.Name.states) != nil {
      return .nearestNeighbors(
        try NearestNeighborsHead(file, labels: labels, dimensions: dimensions))
    }
    if file.find(ResidualModule.Name.down) != nil {
      return .residual(try ResidualModule(file, dimensions: dimensions))
    }
    guard file.metadata.find(AdapterContents.headKey)?.utf8.elementsEqual("none".utf8) ?? false
    else { throw .badInput("\(file.path): the adapter has no head; make it again") }
    return nil
  }

  /// Adds the head to the contents of an adapter's file.
  func store(in contents: inout AdapterContents) {
    switch self {
    case .linear(let head): head.store(in: &contents)
    case .rbf(let head): head.store(in: &contents)
    case .residual(let module): module.store(in: &contents)
    case .nearestNeighbors(let head): head.store(in: &contents)
    }
  }
}
