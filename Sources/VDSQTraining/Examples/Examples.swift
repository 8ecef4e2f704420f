package import VDSQFormat
package import VDSQInference
public import VDSQSemantics

/// Labelled texts with their states in a model.
public struct Examples: Sendable {
  /// A text with the name of its label, before it passes through the model.
  public struct Example: Sendable {
    /// The text without a template.
    public let text: String
    /// The name of a label. A training plan lists the labels.
    public let label: String
    /// Where it is from; nil if that is not known.
    package let origin: Origin?
    /// Whether a part of the text was no character, and became U+FFFD.
    package let isReplaced: Bool

    /// Whether the text has nothing to read.
    var isBlank: Bool { Array(text.utf8).withUnsafeBytes { BlankText.isBlank($0) } }

    /// The example in error messages.
    func place(_ index: Int) -> String {
      if let origin { "\(origin.file): line \(origin.line)" } else { "example \(index + 1)" }
    }

    /// An example; the label is checked when the example is encoded.
    public init(text: String, label: String) {
      self.init(text: text, label: label, origin: nil, isReplaced: false)
    }

    /// The example with another label.
    func labelled(_ label: String) -> Example {
      Example(text: text, label: label, origin: origin, isReplaced: isReplaced)
    }

    package init(text: String, label: String, origin: Origin?, isReplaced: Bool) {
      self.text = text
      self.label = label
      self.origin = origin
      self.isReplaced = isReplaced
    }
  }

  /// Where an example is from.
  package struct Origin: Sendable {
    /// The path of its file.
    let file: String
    /// The number of the line in which it begins, counted from 1.
    package let line: Int

    package init(file: String, line: Int) { (self.file, self.line) = (file, line) }
  }

  /// A row for each example.
  package let features: FeatureMatrix
  /// The index of each example's label.
  public let targets: [Int]
  /// The text of each example as the model read it, including a template.
  public let texts: [String]
  /// The number of examples whose text was truncated to the longest sequence.
  package var truncated = 0

  /// Runs the model over the examples, once over each distinct text.
  ///
  /// - Parameters:
  ///   - labels: all labels; an example's must be among them.
  ///   - template: a template around texts, or nil. A template around label words is ignored.
  ///   - cache: a cache of states; nil for none.
  ///   - areStatesCached: whether states stay in the cache, and are read from there.
  ///   - advance: called with the number of examples whose states are known.
  /// - Throws: `badInput` if an example's label is not among `labels`, or its text has nothing to
  ///   read; the errors of the cache.
  package init(
    _ examples: [Example], labels: [Label], encoder: TextEncoder, template: Template?,
    cache: StateCache? = nil, areStatesCached: Bool = false, advance: (Int) -> Void
  ) throws(VDSQError) {
    let d = encoder.dimensions
    let indices = Dictionary(
      labels.enumerated().map { (ByteString($1.name), $0) }, uniquingKeysWith: { first, _ in first }
    )
    var targets: [Int] = []
    var texts: [String] = []
    /// Each example's row of `rows`, and the row of each text.
    var rowOf: [Int] = []
    /// Whether the text of each row was truncated.
    var isCut: [Bool] = []
    var known: [StateCache.Key: Int] = [:]
    /// The text of each row.
    var keys: [StateCache.Key] = []
    let disk = areStatesCached ? cache : nil
    var rows =
      disk == nil
      ? StateRows.Builder(columns: d, capacity: examples.count, kernels: encoder.kernels) : nil
    var cached: [Float] = []
    /// Texts in the batch: the model fills their rows.
    var pending: [(row: Int, key: StateCache.Key)] = []
    func encodeBatch() throws(VDSQError) {
      try encoder.encode { (index, vector) throws(VDSQError) in
        rows?.set(pending[index].row, vector)
        try cache?.add(pending[index].key, vector)
      }
      pending.removeAll(keepingCapacity: true)
      advance(targets.count)
    }
    var template = try TextTemplate(template, encoder: encoder)
    for (number, example) in examples.enumerated() {
      guard let target = indices[ByteString(example.label)] else {
        throw .badInput(
          "\(example.place(number)): the label \(example.label) is not among the labels: "
            + labels.map(\.name).joined(separator: ", "))
      }
      targets.append(target)
      let (text, isShortened) = Array(example.text.utf8).withUnsafeBytes {
        template.withText($0, for: encoder) { text, isCut in (Array(text), isCut) }
      }
      texts.append(String(decoding: text, as: UTF8.self))
      let key = text.withUnsafeBytes { StateCache.Key($0) }
      if Array(example.text.utf8).withUnsafeBytes({ template.isBlank($0, for: encoder) }) {
        throw .badInput("\(example.place(number)): the text has nothing to read; leave it out")
      }
      if let row = known[key] {
        rowOf.append(row)
        continue
      }
      let row = keys.count
      rowOf.append(row)
      keys.append(key)
      known[key] = row
      cached.removeAll(keepingCapacity: true)
      if cache?.find(key, into: &cached) ?? false {
        rows?.add(cached)
        isCut.append(isShortened || text.withUnsafeBytes { !encoder.fits($0) })
        continue
      }
      if !encoder.hasRoom { try encodeBatch() }
      let isTruncated = text.withUnsafeBytes { encoder.add($0, mask: template.mask).truncated }
      isCut.append(isShortened || isTruncated)
      pending.append((row, key))
      rows?.addZeros()
    }
    try encodeBatch()
    try cache?.flush()
    self.targets = targets
    self.texts = texts
    truncated = rowOf.reduce(0) { $0 + (isCut[$1] ? 1 : 0) }
    let states = if let rows { rows.finish() } else { try disk!.rows(of: keys) }
    let features = FeatureMatrix(states, layout: FeatureMatrix.Layout(of: encoder))
    self.features = features.rows == examples.count ? features : features.subset(rowOf)
  }

  /// - Precondition: as many rows, labels and texts.
  package init(_ features: FeatureMatrix, targets: [Int], texts: [String]? = nil) {
    precondition(features.rows == targets.count)
    self.features = features
    self.targets = targets
    self.texts = texts ?? targets.map { _ in "" }
  }

  /// Some of the examples, in the given order.
  public func subset(_ members: [Int]) -> Examples {
    Examples(
      features.subset(members), targets: members.map { targets[$0] },
      texts: members.map { texts[$0] })
  }

  /// The examples whose texts have something to read.
  ///
  /// - Parameter report: called if others are left out.
  static func readable(
    _ examples: [Example], report: (TrainingEvent) -> Void
  ) -> [Example] {
    let readable = examples.filter { !$0.isBlank }
    if readable.count < examples.count {
      report(.leftOut(examples.count - readable.count, of: examples.count))
    }
    return readable
  }

  /// Checks that the label of texts that belong to no other can be learned.
  ///
  /// - Throws: `usage` if no example has it.
  package static func check(
    outOfScope name: String?, in examples: [Example]
  ) throws(VDSQError) {
    guard let name, !examples.contains(where: { $0.label.hasSameBytes(as: name) }) else { return }
    throw .usage("\(name): no example has this label", .outOfScope)
  }

  /// The labels to train: the named ones, or else those of the examples in the order of their first
  /// appearance.
  ///
  /// - Parameters:
  ///   - named: the named labels; may be empty.
  ///   - outOfScope: the label of texts that belong to no other. It is added to the named labels if
  ///     examples have it.
  public static func labels(
    of examples: [Example], named: [Label] = [], outOfScope: String? = nil
  ) -> [Label] {
    guard named.isEmpty else {
      guard let outOfScope, !named.contains(where: { $0.name.hasSameBytes(as: outOfScope) }),
        examples.contains(where: { $0.label.hasSameBytes(as: outOfScope) })
      else { return named }
      return named + [.outOfScope(outOfScope)]
    }
    var seen: Set<ByteString> = []
    return examples.filter { seen.insert(ByteString($0.label)).inserted }.map {
      outOfScope?.hasSameBytes(as: $0.label) ?? false
        ? .outOfScope($0.label) : Label(name: $0.label)
    }
  }
}
