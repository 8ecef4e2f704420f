package import VDSQFormat

/// The differences between the contents of two containers.
package struct ContainerDifference: Sendable {
  /// A metadata key whose values differ.
  package struct Change: Sendable {
    /// The metadata key.
    package let key: String
    /// The value in the first container as text; nil if it is missing there.
    package let first: String?
    /// The value in the second container as text; nil if it is missing there.
    package let second: String?
  }

  /// The comparison of two tensors of the same name.
  package struct Tensor: Sendable {
    /// The name in both containers.
    package let name: String
    /// The shapes in the first and the second container.
    package let shapes: ([Int], [Int])
    /// Element types by name.
    package let stored: (String, String)
    /// Nil if the shapes differ.
    package let error: QuantizationError?
    /// Whether all values are bit-identical.
    package let isSame: Bool
  }

  /// The metadata that differ: first the keys of the first container, then new keys of the second.
  package let metadata: [Change]
  /// Whether the tokenizer sections are byte-identical, or both are missing.
  package let sameTokenizer: Bool
  /// The names of tensors that only the first container has.
  package let onlyFirst: [String]
  /// The names of tensors that only the second container has.
  package let onlySecond: [String]
  /// Tensors that are in both containers, the most different first.
  package let tensors: [Tensor]

  /// Whether metadata, tokenizers and the bits of all tensor values are equal.
  package var isEmpty: Bool {
    metadata.isEmpty && sameTokenizer && onlyFirst.isEmpty && onlySecond.isEmpty
      && tensors.allSatisfy(\.isSame)
  }

  /// Compares two containers row by row.
  ///
  /// - Throws: the errors of reading a tensor.
  package init(_ first: Container, _ second: Container) throws(VDSQError) {
    metadata = Self.metadata(first.metadata, second.metadata)
    let tokenizers = [first, second].map { try? $0.bytes(of: .tokenizer) }
    sameTokenizer =
      switch (tokenizers[0], tokenizers[1]) {
      case (nil, nil): true
      case (let a?, let b?): a.elementsEqual(b)
      default: false
      }
    let names = (first.tensors.map(\.name), second.tensors.map(\.name))
    let sets = (names.0.byteStrings, names.1.byteStrings)
    onlyFirst = names.0.filter { !sets.1.contains(ByteString($0)) }
    onlySecond = names.1.filter { !sets.0.contains(ByteString($0)) }
    var tensors: [Tensor] = []
    for name in names.0 where sets.1.contains(ByteString(name)) {
      tensors.append(try Self.compare(name, first, second))
    }
    // Tensors of different shapes have no error and count as the most different.
    self.tensors = tensors.sorted { ($0.error?.cosine ?? -2) < ($1.error?.cosine ?? -2) }
  }

  private static func metadata(_ first: Metadata, _ second: Metadata) -> [Change] {
    func values(_ metadata: Metadata) -> [(String, String)] {
      metadata.entries.map { ($0.key, $0.value.text) }
    }
    let a = values(first), b = values(second)
    func find(_ key: String, in values: [(String, String)]) -> String? {
      values.first { $0.0.hasSameBytes(as: key) }?.1
    }
    let changed = a.compactMap { (key, value) -> Change? in
      let other = find(key, in: b)
      guard other.map({ !$0.hasSameBytes(as: value) }) ?? true else { return nil }
      return Change(key: key, first: value, second: other)
    }
    let new = b.filter { find($0.0, in: a) == nil }
    return changed + new.map { Change(key: $0.0, first: nil, second: $0.1) }
  }

  private static func compare(
    _ name: String, _ first: Container, _ second: Container
  ) throws(VDSQError) -> Tensor {
    let a = try StoredRows(first, name), b = try StoredRows(second, name)
    let records = (a.view.record, b.view.record)
    var error: QuantizationError?
    var isSame = records.0.shape == records.1.shape
    if records.0.shape == records.1.shape {
      var meter = ErrorMeter()
      var left: [Float] = [], right: [Float] = []
      for row in 0..<records.0.rows {
        a.release(before: row)
        b.release(before: row)
        a.row(row, into: &left)
        b.row(row, into: &right)
        meter.add(left, right, left.count)
        isSame = isSame && left.elementsEqual(right) { $0.bitPattern == $1.bitPattern }
      }
      error = meter.result
    }
    return Tensor(
      name: name, shapes: (records.0.shape, records.1.shape),
      stored: ("\(records.0.element.name)", "\(records.1.element.name)"), error: error,
      isSame: isSame)
  }
}

extension Metadata.Value {
  /// A readable form of the value.
  package var text: String {
    switch self {
    case .integer(let n): "\(n)"
    case .number(let n): "\(n)"
    case .text(let s): s
    }
  }
}
