import CShims
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
  /// The factors, if they are in memory rather than in the map.
  private let ownFactors: OwnFloats?
  /// The bias of the head; nil for bases.
  nonisolated(unsafe) package let bias: UnsafePointer<Float>?
  /// What the head's logits are capped by; 0 for nothing, and for bases.
  private let cap: Float
  /// The 4-bit residual of int8 rows, which is read for a few candidate rows.
  private let fine: TensorView?
  /// The vector that is added to rows of the head to make them bases, and the reciprocal lengths of
  /// the sums; nil for other rows.
  nonisolated(unsafe) private let common:
    (vector: UnsafePointer<Float>, reciprocalNorms: UnsafePointer<Float>)?
  /// The temperature at which probabilities of cosines are closest to those of the head; nil if it
  /// is not known.
  public let temperature: Float?
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
    if container.find("bases.common") != nil {
      // Rows of the LM head plus a common vector.
      let head = try VocabularyRows(head: container)
      try self.init(
        head.view, container, factors: head.factors, areBases: true,
        common: (
          try container.floats("bases.common", shape: [head.dimensions]),
          try container.floats("bases.reciprocal_norms", shape: [head.count])
        ), isRefined: head.isRefined)
      return
    }
    let own = container.find("bases.rows")
    guard let view = own ?? container.find("embeddings.word"), view.record.shape.count == 2,
      view.record.order == .rowMajor,
      own != nil || container.find("vocabulary.reciprocal_norms") != nil
    else {
      throw .badInput(
        "\(container.path): the file has no vocabulary bases; convert the model with them, or with "
          + (own == nil && container.find("embeddings.word")?.record.element == .int4
            ? "--keep embeddings.word=int8" : "int8 weights"))
    }
    try self.init(
      view, container,
      factors: try container.floats(
        own != nil ? "bases.reciprocal_norms" : "vocabulary.reciprocal_norms",
        shape: [view.record.rows]),
      areBases: true, isRefined: own != nil && container.find("bases.fine") != nil)
  }

  /// - Parameters:
  ///   - view: a row-major matrix.
  ///   - isRefined: whether the file has the residual of the rows, if they are int8.
  private init(
    _ view: TensorView, _ container: Container, factors: UnsafePointer<Float>?,
    bias: UnsafePointer<Float>? = nil, cap: Float = 0, areBases: Bool,
    common: (vector: UnsafePointer<Float>, reciprocalNorms: UnsafePointer<Float>)? = nil,
    isRefined: Bool, ownFactors: OwnFloats? = nil
  ) throws(VDSQError) {
    self.ownFactors = ownFactors
    self.view = view
    self.container = container
    count = view.record.rows
    dimensions = view.record.columns
    self.factors = factors
    self.bias = bias
    self.cap = cap
    self.areBases = areBases
    self.common = common
    temperature = areBases && ownFactors == nil ? try Self.temperature(container) : nil
    guard isRefined, view.record.element == .int8 else {
      fine = nil
      return
    }
    fine = try container.tensor("bases.fine", shape: view.record.shape)
    guard fine!.record.element == .bits4 else {
      throw .badInput("\(container.path): tensor bases.fine is not of four bits")
    }
  }

  private static func temperature(_ container: Container) throws(VDSQError) -> Float? {
    guard let number = try container.metadata.find(number: "bases_temperature") else { return nil }
    guard number > 0, number.isFinite else {
      throw .badInput("\(container.path): metadata: bases_temperature is not positive")
    }
    return Float(number)
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
    try self.init(
      view, container, factors: view.scales,
      bias: container.find("head.bias") == nil
        ? nil : try container.finite("head.bias", shape: [view.record.rows]),
      cap: Float(architecture.logitCap ?? 0), areBases: false,
      // The residual is that of bases with rows of their own, if there are such.
      isRefined: container.find("bases.rows") == nil && container.find("bases.fine") != nil)
  }

  /// Rows of the LM head as bases.
  init(rows head: VocabularyRows, _ kernels: KernelTable) throws(VDSQError) {
    let factors = Self.reciprocalNorms(head.view, head.container, kernels)
    try self.init(
      head.view, head.container, factors: factors.values, areBases: true,
      isRefined: head.isRefined, ownFactors: factors)
  }

  /// Rows of the word embeddings as bases.
  ///
  /// - Throws: `badInput` if they are not stored row by row.
  init(embeddings container: Container, _ kernels: KernelTable) throws(VDSQError) {
    guard let view = container.find("embeddings.word"), view.record.shape.count == 2 else {
      throw .badInput("\(container.path): the model has no word embeddings")
    }
    guard view.record.order == .rowMajor else {
      throw .badInput(
        "\(container.path): the word embeddings have four bits; convert the model with "
          + "--keep embeddings.word=int8")
    }
    let factors = Self.reciprocalNorms(view, container, kernels)
    try self.init(
      view, container, factors: factors.values, areBases: true, isRefined: false,
      ownFactors: factors)
  }

  /// The reciprocal length of each row, in the unit of `products`: of its integers if it has any.
  private static func reciprocalNorms(
    _ view: TensorView, _ container: Container, _ kernels: KernelTable
  ) -> OwnFloats {
    let count = view.record.rows, d = view.record.columns
    let norms = OwnFloats(count: count)
    let stride = view.record.rowBytes
    var row = [Float](repeating: 0, count: d)
    var release = RowRelease(view, in: container, 0..<count)
    row.withUnsafeMutableBufferPointer { row in
      for i in 0..<count {
        view.load(view.data + i * stride, row: i, kernels, into: row.baseAddress!)
        var norm = length(row.baseAddress!, d)
        if view.record.element == .int8, let scale = view.scales?[i], scale > 0 { norm /= scale }
        norms.values[i] = norm > 0 ? 1 / norm : 0
        release.advance(to: i + 1)
      }
    }
    return norms
  }

  /// The rows in the form of the fused search; nil if they are not int8 bases.
  var int8: Int8Rows? {
    guard areBases, common == nil, view.record.element == .int8, let factors else { return nil }
    return Int8Rows(
      values: view.data.assumingMemoryBound(to: Int8.self), rows: count, columns: dimensions,
      reciprocalNorms: factors)
  }

  /// The address of a row in the map.
  private func row(_ index: Int) -> UnsafeRawPointer {
    view.data + index * view.record.rowBytes
  }

  /// Releases the pages of some rows behind a reader that goes through them in order.
  func release(_ range: Range<Int>) -> RowRelease { RowRelease(view, in: container, range) }

  /// Makes states queries of these rows.
  func set(
    _ queries: VocabularyQueries, _ states: UnsafePointer<Float>, count: Int,
    _ kernels: KernelTable
  ) {
    queries.set(
      states, count: count, areCosines: areBases, common: common?.vector, kernels)
  }

  /// The cosines, or the head's logits, of some rows for all queries, `[queries.count, stride]`.
  func products(
    _ queries: VocabularyQueries, _ range: Range<Int>, _ kernels: KernelTable,
    into out: UnsafeMutablePointer<Float>, stride: Int
  ) {
    if view.record.element == .int8 {
      let rows = Int8Rows(
        values: view.data.assumingMemoryBound(to: Int8.self), rows: count, columns: dimensions,
        reciprocalNorms: factors!)
      kernels.cosines(queries.int8, queries.count, rows, range, out, stride)
    }
    for query in 0..<queries.count {
      let own = out + query * stride
      switch view.record.element {
      case .int8, .int4, .bits2, .bits4: break
      case .float16:
        kernels.dotHalfRows(
          queries.state(query), row(range.lowerBound), range.count, dimensions, own)
        scale(queries.factors[query], range, own)
      case .float32:
        kernels.dotRows(
          queries.state(query), row(range.lowerBound).assumingMemoryBound(to: Float.self),
          range.count, dimensions, own)
        scale(queries.factors[query], range, own)
      }
      if let common {
        let shift = queries.shifts[query], norms = common.reciprocalNorms + range.lowerBound
        for i in 0..<range.count { own[i] = (own[i] + shift) * norms[i] }
      }
      if let bias {
        for i in 0..<range.count { own[i] += bias[range.lowerBound + i] }
      }
      if cap > 0 { for i in 0..<range.count { own[i] = capped(own[i]) } }
    }
  }

  /// A logit of the head as the model caps it (`Architecture.logitCap`).
  func capped(_ logit: Float) -> Float { cap > 0 ? cap * vdsq_tanhf(logit / cap) : logit }

  private func scale(_ factor: Float, _ range: Range<Int>, _ out: UnsafeMutablePointer<Float>) {
    for i in 0..<range.count {
      out[i] *= factor * (factors.map { $0[range.lowerBound + i] } ?? 1)
    }
  }

  /// Whether rows have a residual that `products` does not use.
  var isRefined: Bool { fine != nil }

  /// The number of bytes of scratch for `unitRow`.
  package var scratchBytes: Int { (dimensions + 1) / 2 }

  /// A row of the LM head as it is, with the full precision of the file.
  ///
  /// - Parameters:
  ///   - scratch: a buffer of `scratchBytes` bytes.
  ///   - out: receives `dimensions` floats.
  package func headRow(
    _ index: Int, _ kernels: KernelTable, _ scratch: UnsafeMutablePointer<UInt8>,
    into out: UnsafeMutablePointer<Float>
  ) {
    view.load(row(index), row: index, kernels, into: out)
    guard let fine, let step = view.scales?[index] else { return }
    let bytes = scratchBytes
    // If the residual cannot be read, the int8 row is used alone.
    guard (try? container.read(fine, at: index * bytes, count: bytes, into: scratch)) != nil else {
      return
    }
    for i in 0..<dimensions {
      let four = Int8(bitPattern: i % 2 == 0 ? scratch[i / 2] << 4 : scratch[i / 2]) >> 4
      out[i] += Float(four) * step * 0.0625
    }
  }

  /// A row as a vector of length 1, or of zeros, with the full precision of the file.
  ///
  /// - Parameter scratch: a buffer of `scratchBytes` bytes.
  package func unitRow(
    _ index: Int, _ kernels: KernelTable, _ scratch: UnsafeMutablePointer<UInt8>,
    into out: UnsafeMutablePointer<Float>
  ) {
    headRow(index, kernels, scratch, into: out)
    if let common { kernels.addScaled(1, common.vector, dimensions, out) }
    let norm = length(out, dimensions)
    let scale = norm > 0 ? 1 / norm : 0
    for i in 0..<dimensions { out[i] *= scale }
  }
}

/// Floats in memory that are freed with the last of their users.
private final class OwnFloats: @unchecked Sendable {
  let values: UnsafeMutablePointer<Float>

  init(count: Int) { values = .allocate(capacity: max(1, count)) }

  deinit { values.deallocate() }
}

extension Container {
  /// Whether a model's file has vocabulary bases of its LM head.
  var hasBases: Bool { find("bases.rows") != nil || find("bases.common") != nil }
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
