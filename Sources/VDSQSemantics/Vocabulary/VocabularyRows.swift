public import VDSQFormat
public import VDSQInference
package import VDSQKernels

/// The rows with which states are compared, one per token of the vocabulary, in place in the map:
/// bases for disentangled logits, or the rows of the LM head for its own logits.
public struct VocabularyRows: Sendable {
  /// The number of rows, one per token id.
  public let count: Int
  /// The number of columns of a row, which is that of a state.
  public let dimensions: Int
  private let view: TensorView
  /// The factor of each row's product: the reciprocal length for cosines; the scale, or one, for
  /// the logits of the head.
  nonisolated(unsafe) private let factors: UnsafePointer<Float>?
  /// The bias of the head; nil for bases.
  nonisolated(unsafe) let bias: UnsafePointer<Float>?
  /// The 4-bit residual of int8 bases, which is read for a few candidate rows.
  private let fine: TensorView?
  private let container: Container
  /// Whether products are cosines.
  public let areBases: Bool

  /// Vocabulary bases: those of the file, or the word embeddings of a sentence encoder, which are
  /// bases of the input side.
  ///
  /// - Throws: `badInput` if the file has none.
  public init(bases encoder: TextEncoder) throws(VDSQError) {
    try self.init(bases: encoder.container)
  }

  /// The bases in a file.
  ///
  /// - Throws: `badInput` if the file has none.
  package init(bases container: Container) throws(VDSQError) {
    let own = container.find("bases.rows")
    guard let view = own ?? container.find("embeddings.word"), view.record.shape.count == 2,
      view.record.order == .rowMajor,
      own != nil || container.find("vocabulary.reciprocal_norms") != nil
    else {
      throw .badInput(
        "\(container.path): the file has no vocabulary bases; convert the model with them, or with "
          + "int8 weights")
    }
    self.view = view
    count = view.record.rows
    dimensions = view.record.columns
    factors = try container.floats(
      own != nil ? "bases.reciprocal_norms" : "vocabulary.reciprocal_norms", shape: [count])
    bias = nil
    areBases = true
    self.container = container
    if view.record.element == .int8, own != nil, container.find("bases.fine") != nil {
      fine = try container.tensor("bases.fine", shape: view.record.shape)
      guard fine!.record.element == .bits4 else {
        throw .badInput("\(container.path): tensor bases.fine is not of four bits")
      }
    } else {
      fine = nil
    }
  }

  /// The LM head of a model, which may be its word embeddings.
  ///
  /// - Throws: `badInput` if the model has none.
  public init(head encoder: TextEncoder) throws(VDSQError) {
    try self.init(head: encoder.container)
  }

  /// The LM head in a file.
  ///
  /// - Throws: `badInput` if the model has none.
  package init(head container: Container) throws(VDSQError) {
    guard let architecture = try? Architecture(container.metadata),
      architecture.hasLanguageModelHead,
      let view = container.find("head.weight") ?? container.find("embeddings.word"),
      view.record.order == .rowMajor, view.record.shape.count == 2
    else { throw .badInput("\(container.path): the model has no LM head") }
    self.view = view
    count = view.record.rows
    dimensions = view.record.columns
    factors = view.scales
    bias =
      container.find("head.bias") == nil ? nil : try container.floats("head.bias", shape: [count])
    areBases = false
    self.container = container
    fine = nil
  }

  /// The rows in the form of the fused search; nil if they are not int8 bases.
  var int8: Int8Rows? {
    guard areBases, view.record.element == .int8, let factors else { return nil }
    return Int8Rows(
      values: view.data.assumingMemoryBound(to: Int8.self), rows: count, columns: dimensions,
      reciprocalNorms: factors)
  }

  /// The address of a row in the map.
  private func row(_ index: Int) -> UnsafeRawPointer {
    view.data + index * dimensions * (view.record.dataLength / (count * dimensions))
  }

  /// A state as a query of these rows.
  struct Query {
    let state: UnsafePointer<Float>
    let int8: Int8Query
    /// The factor of products: the reciprocal length of the state for cosines.
    let factor: Float
  }

  /// - Parameter bytes: a buffer of `Int8Query.paddedColumns(dimensions)` bytes.
  func query(
    _ state: UnsafePointer<Float>, _ kernels: KernelTable, _ bytes: UnsafeMutablePointer<Int8>
  ) -> Query {
    let norm = length(state, dimensions)
    return Query(
      state: state, int8: kernels.int8Query(state, dimensions, bytes),
      factor: areBases ? (norm > 0 ? 1 / norm : 0) : 1)
  }

  /// The cosines, or the head's logits, of some rows.
  func products(
    _ query: Query, _ range: Range<Int>, _ kernels: KernelTable,
    into out: UnsafeMutablePointer<Float>
  ) {
    switch view.record.element {
    case .int8, .bits2, .bits4:
      // The lengths of both sides cancel. The logits of the head need the length of the state
      // again.
      let rows = Int8Rows(
        values: view.data.assumingMemoryBound(to: Int8.self), rows: count, columns: dimensions,
        reciprocalNorms: factors!)
      kernels.cosines(query.int8, rows, range, out)
      if !areBases {
        let norm = length(query.state, dimensions)
        for i in 0..<range.count { out[i] *= norm }
      }
    case .float16:
      kernels.dotHalfRows(query.state, row(range.lowerBound), range.count, dimensions, out)
      scale(query, range, out)
    case .float32:
      kernels.dotRows(
        query.state, row(range.lowerBound).assumingMemoryBound(to: Float.self), range.count,
        dimensions, out)
      scale(query, range, out)
    }
    if let bias {
      for i in 0..<range.count { out[i] += bias[range.lowerBound + i] }
    }
  }

  private func scale(_ query: Query, _ range: Range<Int>, _ out: UnsafeMutablePointer<Float>) {
    for i in 0..<range.count {
      out[i] *= query.factor * (factors.map { $0[range.lowerBound + i] } ?? 1)
    }
  }

  /// Whether rows have a residual that `products` does not use.
  var isRefined: Bool { fine != nil }

  /// The number of bytes of scratch for `unitRow`.
  package var scratchBytes: Int { (dimensions + 1) / 2 }

  /// A row as a vector of length 1, or of zeros, with the full precision of the file.
  ///
  /// - Parameter scratch: a buffer of `scratchBytes` bytes.
  package func unitRow(
    _ index: Int, _ kernels: KernelTable, _ scratch: UnsafeMutablePointer<UInt8>,
    into out: UnsafeMutablePointer<Float>
  ) {
    view.load(row(index), row: index, kernels, into: out)
    if let fine, let step = view.scales?[index] {
      let bytes = scratchBytes
      // If the residual cannot be read, the int8 row is used alone.
      if (try? container.read(fine, at: index * bytes, count: bytes, into: scratch)) != nil {
        for i in 0..<dimensions {
          let four = Int8(bitPattern: i % 2 == 0 ? scratch[i / 2] << 4 : scratch[i / 2]) >> 4
          out[i] += Float(four) * step * 0.0625
        }
      }
    }
    let norm = length(out, dimensions)
    let scale = norm > 0 ? 1 / norm : 0
    for i in 0..<dimensions { out[i] *= scale }
  }
}

extension VocabularyRows {
  /// A row as a vector of length 1, or of zeros, with the full precision of the file.
  package func unitRow(_ index: Int, _ kernels: KernelTable) -> [Float] {
    var scratch = [UInt8](repeating: 0, count: max(1, scratchBytes))
    var row = [Float](repeating: 0, count: dimensions)
    scratch.withUnsafeMutableBufferPointer { scratch in
      row.withUnsafeMutableBufferPointer {
        unitRow(index, kernels, scratch.baseAddress!, into: $0.baseAddress!)
      }
    }
    return row
  }

  /// Bases of a file that `vdsq bases` made, for a model or for other bases.
  ///
  /// - Throws: what opening the file does; `badInput` if they were made for another model.
  package init(path: String, for model: Container) throws(VDSQError) {
    let file = try Container(path: path, kind: .bases)
    let owner = try file.metadata.find(integer: "model_identity", in: 0...Int(UInt32.max))
    guard owner == nil || owner == Int(model.identity) else {
      throw .badInput("\(path): these bases were made for another model than \(model.path)")
    }
    try self.init(bases: file)
  }
}
