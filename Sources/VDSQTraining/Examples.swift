public import VDSQFormat
public import VDSQInference
public import VDSQSemantics

/// Labelled texts, as states of a model.
public struct Examples: Sendable {
  public struct Example: Sendable {
    public let text: String
    public let label: String

    public init(text: String, label: String) {
      self.text = text
      self.label = label
    }
  }

  /// `[examples, dimensions]`.
  public let states: [Float]
  /// Index of each example's label.
  public let targets: [Int]
  /// What the model read of each, a template around it included.
  public let texts: [String]

  /// Runs the model over the examples, once over each different text.
  ///
  /// - Parameters:
  ///   - labels: all labels; an example's must be among them.
  ///   - template: a template around texts, or nil.
  ///   - cache: states from before, and where new ones are kept; nil for none.
  ///   - advance: called with the number of examples whose states are known by then.
  /// - Throws: `badInput` where an example's label is not among `labels`, and what the cache does.
  public init(
    _ examples: [Example], labels: [Label], encoder: TextEncoder, template: Template?,
    cache: StateCache? = nil, advance: (Int) -> Void
  ) throws(VDSQError) {
    let d = encoder.dimensions
    let indices = Dictionary(
      labels.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    var targets: [Int] = []
    var texts: [String] = []
    /// Each example's row of `rows`, and the row of each text.
    var rowOf: [Int] = []
    var known: [StateCache.Key: Int] = [:]
    var rows: [Float] = []
    rows.reserveCapacity(examples.count * d)
    /// Texts in the batch: the model fills their rows.
    var pending: [(row: Int, key: StateCache.Key)] = []
    func encodeBatch() throws(VDSQError) {
      try encoder.encode { (index, vector) throws(VDSQError) in
        let start = pending[index].row * d
        for j in 0..<d { rows[start + j] = vector[j] }
        try cache?.add(pending[index].key, vector)
      }
      pending.removeAll(keepingCapacity: true)
      advance(targets.count)
    }
    var text: [UInt8] = []
    for (number, example) in examples.enumerated() {
      guard let target = indices[example.label] else {
        throw .badInput("example \(number + 1): the label \(example.label) is not among the labels")
      }
      targets.append(target)
      let bytes = Array(example.text.utf8)
      if let template, template.aroundTexts {
        bytes.withUnsafeBytes { template.fill($0, into: &text) }
      } else {
        text = bytes
      }
      texts.append(String(decoding: text, as: UTF8.self))
      let key = text.withUnsafeBytes { StateCache.Key($0) }
      if let row = known[key] {
        rowOf.append(row)
        continue
      }
      let row = rows.count / d
      rowOf.append(row)
      known[key] = row
      if cache?.find(key, into: &rows) ?? false { continue }
      if !encoder.hasRoom { try encodeBatch() }
      text.withUnsafeBytes { _ = encoder.add($0) }
      pending.append((row, key))
      rows.append(contentsOf: repeatElement(0, count: d))
    }
    try encodeBatch()
    try cache?.flush()
    self.targets = targets
    self.texts = texts
    if rows.count == examples.count * d {
      states = rows
    } else {
      states = rowOf.flatMap { rows[$0 * d..<($0 + 1) * d] }
    }
  }

  package init(states: [Float], targets: [Int], texts: [String]? = nil) {
    self.states = states
    self.targets = targets
    self.texts = texts ?? targets.map { _ in "" }
  }

  /// Some of the examples.
  ///
  /// - Parameter columns: numbers in a state.
  public func subset(_ members: [Int], columns: Int) -> Examples {
    var chosen: [Float] = []
    chosen.reserveCapacity(members.count * columns)
    for i in members { chosen += states[i * columns..<(i + 1) * columns] }
    return Examples(
      states: chosen, targets: members.map { targets[$0] }, texts: members.map { texts[$0] })
  }

  /// The labels to train for: those that are named, or else those that examples have, in the order in which
  /// they first appear.
  ///
  /// - Parameters:
  ///   - named: empty where none are.
  ///   - outOfScope: the label of texts that belong to no other, whose name says nothing of them; it is added
  ///     to those that are named where examples have it.
  public static func labels(
    of examples: [Example], named: [Label] = [], outOfScope: String? = nil
  ) -> [Label] {
    guard named.isEmpty else {
      guard let outOfScope, !named.contains(where: { $0.name == outOfScope }),
        examples.contains(where: { $0.label == outOfScope })
      else { return named }
      return named + [.outOfScope(outOfScope)]
    }
    var seen: Set<String> = []
    return examples.filter { seen.insert($0.label).inserted }.map {
      $0.label == outOfScope ? .outOfScope($0.label) : Label(name: $0.label)
    }
  }
}
