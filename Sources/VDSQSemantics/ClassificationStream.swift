public import VDSQFormat
public import VDSQInference
public import VDSQStreams
import VDSQTokenizers

/// Classifies texts as they come in and writes an answer a text, in constant memory.
///
/// Texts wait until a batch is full or the input pauses, so that a pipe that is written to slowly
/// is answered at once.
public final class ClassificationStream {
  public struct Options: Sendable {
    public var top = 1
    public var json = false
    public var strict = false
    /// Answers less probable than that are not given; 0 for all.
    public var abstain: Float = 0
    /// What is written in their place; nil for the name of the label of what is out of scope, or `-`.
    public var outOfScope: String?
    /// Softmax temperature; nil for the adapter's.
    public var temperature: Float?

    public init() {}
  }

  /// What happened to the texts.
  public struct Counts: Sendable {
    public var texts = 0
    public var tokens = 0
    /// Texts cut to the model's longest sequence.
    public var truncated = 0
    /// Texts in which invalid UTF-8 was replaced.
    public var replaced = 0
    /// Texts whose answer was too doubtful to give.
    public var abstained = 0
  }

  public private(set) var counts = Counts()
  private let encoder: TextEncoder
  private var classifier: Classifier
  private let follower: AdapterFollower?
  private let template: Template?
  private let options: Options
  private var outOfScope: String
  private let output: OutputBuffer
  private let json: JSONWriter
  private var pending: [(tokens: Int, truncated: Bool)] = []
  private var filled: [UInt8] = []

  /// - Parameter follower: where the classifier's adapter may be replaced; nil where it stays.
  public init(
    encoder: TextEncoder, classifier: Classifier, template: Template?, options: Options,
    output: OutputBuffer, follower: AdapterFollower? = nil
  ) {
    self.encoder = encoder
    self.classifier = classifier
    self.template = template.flatMap { $0.aroundTexts ? $0 : nil }
    self.options = options
    self.follower = follower
    outOfScope = options.outOfScope ?? classifier.labels.outOfScopeName ?? "-"
    self.output = output
    json = JSONWriter(output)
  }

  /// Takes a text.
  ///
  /// - Parameters:
  ///   - source: where the text is from, for errors: a line's number.
  ///   - cut: whether the reader already dropped its end.
  /// - Throws: `badInput` for invalid UTF-8 where the options are strict.
  public func add(
    _ text: UnsafeRawBufferPointer, source: Int, cut: Bool = false
  ) throws(VDSQError) {
    if UTF8Decoder.replacements(in: text) > 0 {
      if options.strict { throw .badInput("line \(source): the text is not valid UTF-8") }
      counts.replaced += 1
    }
    if !encoder.hasRoom { try flush() }
    var info: (tokens: Int, truncated: Bool)
    if let template {
      let isCut = fill(template, text)
      info = filled.withUnsafeBytes { encoder.add($0) }
      info.truncated = isCut
    } else {
      info = encoder.add(text)
    }
    info.truncated = info.truncated || cut
    counts.texts += 1
    counts.tokens += info.tokens
    if info.truncated { counts.truncated += 1 }
    pending.append(info)
  }

  /// Puts the template around as much of a text as leaves room for what follows it.
  ///
  /// - Returns: whether the text was cut.
  private func fill(_ template: Template, _ text: UnsafeRawBufferPointer) -> Bool {
    template.fill(text, into: &filled)
    if filled.withUnsafeBytes({ encoder.fits($0) }) { return false }
    var fitting = 0
    var tooLong = text.count
    while tooLong - fitting > 1 {
      let middle = (fitting + tooLong) / 2
      template.fill(UnsafeRawBufferPointer(rebasing: text[..<middle]), into: &filled)
      if filled.withUnsafeBytes({ encoder.fits($0) }) { fitting = middle } else { tooLong = middle }
    }
    // Not in the middle of a scalar.
    while fitting > 0, text[fitting] & 0xC0 == 0x80 { fitting -= 1 }
    template.fill(UnsafeRawBufferPointer(rebasing: text[..<fitting]), into: &filled)
    return true
  }

  /// Classifies what waits and writes the answers out.
  public func flush() throws(VDSQError) {
    guard encoder.count > 0 else { return }
    if let adapter = try follower?.changed() { try take(adapter) }
    try encoder.encode { index, vector in
      classifier.classify(vector, top: options.top)
      let abstains = classifier.probabilities[classifier.ranking[0]] < options.abstain
      if abstains { counts.abstained += 1 }
      if options.json { writeJSON(pending[index], abstains) } else { writePlain(abstains) }
    }
    pending.removeAll(keepingCapacity: true)
    try output.flush()
  }

  /// Classifies by another adapter from now on.
  private func take(_ adapter: Adapter) throws(VDSQError) {
    guard adapter.labels.dimensions == encoder.dimensions,
      adapter.intermediateFeatures == encoder.intermediateFeatures,
      adapter.updates == encoder.updates
    else {
      throw .badInput(
        "\(follower!.path): the adapter reads other layers, or other weights, than before; start again"
      )
    }
    classifier = try Classifier(
      labels: adapter.labels, adapter: adapter, temperature: options.temperature,
      kernels: encoder.kernels)
    outOfScope = options.outOfScope ?? adapter.labels.outOfScopeName ?? "-"
  }

  /// `label<TAB>probability`, once for each of the top labels. In place of a doubtful one stands what is out of
  /// scope, with the probability of the label that it might have been.
  private func writePlain(_ abstains: Bool) {
    for place in 0..<min(options.top, classifier.labels.count) {
      let label = classifier.ranking[place]
      if place > 0 { output.write("\t") }
      output.write(abstains && place == 0 ? outOfScope : classifier.labels.names[label])
      output.write("\t")
      output.write(classifier.probabilities[label], decimals: 4)
    }
    output.write("\n")
  }

  private func writeJSON(_ info: (tokens: Int, truncated: Bool), _ abstains: Bool) {
    let best = classifier.ranking[0]
    json.object {
      json.member("label", abstains ? outOfScope : classifier.labels.names[best])
      if options.abstain > 0 { json.member("abstained", abstains) }
      json.member("probability", classifier.probabilities[best], decimals: 6)
      json.key("top")
      json.array {
        for place in 0..<min(options.top, classifier.labels.count) {
          let label = classifier.ranking[place]
          json.object {
            json.member("label", classifier.labels.names[label])
            json.member("cosine", classifier.cosines[label], decimals: 6)
            json.member("probability", classifier.probabilities[label], decimals: 6)
          }
        }
      }
      json.member("tokens", info.tokens)
      json.member("truncated", info.truncated)
    }
    output.write("\n")
  }
}
