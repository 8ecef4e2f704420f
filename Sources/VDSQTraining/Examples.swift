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

  /// Runs the model over the examples.
  ///
  /// - Parameters:
  ///   - labels: all labels; an example's must be among them.
  ///   - template: a template around texts, or nil.
  ///   - advance: called with the number of examples that were encoded.
  /// - Throws: `badInput` where an example's label is not among `labels`.
  public init(
    _ examples: [Example], labels: [Label], encoder: TextEncoder, template: Template?,
    advance: (Int) -> Void
  ) throws(VDSQError) {
    let d = encoder.dimensions
    let indices = Dictionary(
      labels.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    var targets: [Int] = []
    var states: [Float] = []
    states.reserveCapacity(examples.count * d)
    func encodeBatch() throws(VDSQError) {
      let count = encoder.count
      try encoder.encode { _, vector in
        states.append(contentsOf: UnsafeBufferPointer(start: vector, count: d))
      }
      advance(count)
    }
    var filled: [UInt8] = []
    for (number, example) in examples.enumerated() {
      guard let target = indices[example.label] else {
        throw .badInput("example \(number + 1): the label \(example.label) is not among the labels")
      }
      targets.append(target)
      if !encoder.hasRoom { try encodeBatch() }
      let bytes = Array(example.text.utf8)
      bytes.withUnsafeBytes { raw in
        if let template, template.aroundTexts {
          template.fill(raw, into: &filled)
          filled.withUnsafeBytes { _ = encoder.add($0) }
        } else {
          encoder.add(raw)
        }
      }
    }
    try encodeBatch()
    self.targets = targets
    self.states = states
  }

  init(states: [Float], targets: [Int]) {
    self.states = states
    self.targets = targets
  }

  /// Some of the examples.
  ///
  /// - Parameter columns: numbers in a state.
  public func subset(_ members: [Int], columns: Int) -> Examples {
    var chosen: [Float] = []
    chosen.reserveCapacity(members.count * columns)
    for i in members { chosen += states[i * columns..<(i + 1) * columns] }
    return Examples(states: chosen, targets: members.map { targets[$0] })
  }

  /// The labels that examples have, in the order in which they first appear.
  public static func labels(of examples: [Example]) -> [Label] {
    var seen: Set<String> = []
    return examples.filter { seen.insert($0.label).inserted }.map { Label(name: $0.label) }
  }
}
