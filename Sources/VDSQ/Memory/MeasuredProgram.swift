import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQStreams

/// The memory of this program with a model, measured on one short text under the policy that takes
/// least. The memory of longer texts, and of other policies, follows by arithmetic.
struct MeasuredProgram {
  /// The memory of the process without the arena and without the model's file.
  let bytes: Int
  /// The resident parts of the file, except layers.
  let tables: [Footprint.Part]
  let container: Container
  /// The sections of the layers.
  let layers: [Int]
  /// The encoder that was measured; the work has another one with the same options.
  let encoder: TextEncoder
  /// The number of encoders that work at a time, each with its own arena.
  let callers: Int
  /// Other known memory: labels or an adapter, and answers.
  let more: Int
  /// The same for each token of a text.
  let morePerToken: Int
  /// The policies that the file allows, from the fastest to the smallest.
  let policies: [MemoryPolicy]

  /// - Parameters: those of `Footprint.each`.
  /// - Throws: the errors of opening the model; `internalFault` if the system does not report the
  ///   memory of a process.
  init(
    _ path: String, options: TextEncoder.Options, callers: Int, more: Int, morePerToken: Int
  ) throws(VDSQError) {
    let container = try Container(path: path, kind: .model, decoding: .allButLayers)
    let sections = container.sections
    let layers = sections.indices.filter { sections[$0].isLayer }
    let isCompressed = layers.contains { sections[$0].encoding != .raw }
    var options = options
    options.policy = isCompressed ? .stream : .release
    let encoder = try TextEncoder(container, options: options)
    try Self.rehearse(encoder)
    guard
      let (anonymous, mapped) = isCompressed
        ? Self.settledResidentBytes() : ProcessMemory.exactResidentBytes()
    else {
      throw ProcessMemory.unknown
    }
    var (file, tokenizer, embeddings, rest, decoded) = (mapped, 0, 0, 0, 0)
    for (index, section) in sections.enumerated() {
      var bytes = container.presentBytes(ofSection: index) ?? 0
      file -= bytes
      if section.encoding != .raw, !section.isLayer {
        decoded += section.rawLength
        bytes += section.rawLength
      }
      switch section.kind {
      case .tokenizer: tokenizer += bytes
      case .weights where section.isLayer: break
      case .weights: embeddings += bytes
      default: rest += bytes
      }
    }
    tables = [
      Footprint.Part(name: "tokenizer", bytes: tokenizer),
      Footprint.Part(name: "embeddings", bytes: embeddings),
      Footprint.Part(name: "metadata", bytes: rest),
    ]
    let buffers = isCompressed ? Footprint.layerBytes(.stream, container, layers, 1) : 0
    bytes = anonymous - encoder.presentArenaBytes - buffers - decoded + file
    (self.container, self.layers, self.encoder) = (container, layers, encoder)
    self.callers = callers
    (self.more, self.morePerToken) = (more, morePerToken)
    // Compressed layers have no map whose pages could be released.
    // Without layers there is nothing to choose.
    policies =
      layers.isEmpty ? [.resident] : MemoryPolicy.all.filter { !isCompressed || $0 != .release }
  }

  /// The resident memory once it no longer changes, because a thread that reads layers is ahead of
  /// the text.
  private static func settledResidentBytes() -> (anonymous: Int, file: Int)? {
    var last = ProcessMemory.exactResidentBytes()
    var alike = 0
    // Each sample takes the time that the system needs to walk the pages, a fraction of a
    // millisecond.
    for _ in 0..<1000 where alike < 20 {
      let next = ProcessMemory.exactResidentBytes()
      alike = next?.anonymous == last?.anonymous && next?.file == last?.file ? alike + 1 : 0
      last = next
    }
    return last
  }

  /// Classifies one text as the work will, or reads it so that it can go on, so that the code and
  /// the tables that this needs are resident.
  private static func rehearse(_ encoder: TextEncoder) throws(VDSQError) {
    let text: StaticString = "a text"
    let bytes = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    guard encoder.options.keptTexts == 0 else {
      var ids: [Int32] = []
      encoder.ids(of: bytes, behind: encoder.beginning, into: &ids)
      guard !ids.isEmpty else { return }
      _ = try encoder.read(ids.prefix(encoder.maximumTokens), inPlace: 0)
      return encoder.beginText(inPlace: 0)
    }
    let labels = LabelSet(
      names: ["a", "b"], dimensions: encoder.dimensions,
      anchors: [Float](repeating: 1, count: 2 * encoder.dimensions))
    let nowhere = OutputBuffer(descriptor: nil)
    for json in [false, true] {
      var options = RecordStream.Options()
      options.json = json
      let stream = ClassificationStream(
        RecordStream(
          LineReader(descriptor: -1, name: ""), options: options, output: nowhere, program: ""),
        try ClassificationContext(
          encoder: encoder,
          classifier: try Classifier(labels: labels, kernels: encoder.kernels)),
        options: ClassificationStream.Options(), isJSON: json)
      try stream.add(
        TextRecord(text: bytes, line: 1, isCut: false, isReplaced: false, fields: nil))
      try stream.flush()
    }
  }
}
