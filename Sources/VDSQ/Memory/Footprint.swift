package import VDSQFormat
public import VDSQInference
import VDSQSemantics
import VDSQStreams

/// The peak memory of a process that runs a model, part by part, known before the work. The memory
/// of the program itself is measured on one short text; the rest is arithmetic.
public struct Footprint: Sendable {
  /// One use of memory, for example the layers or the arena.
  public struct Part: Sendable {
    /// The use, in a report: `program`, `layers`, `arena` and so on.
    public let name: String
    /// Bytes that are resident at the peak.
    public let bytes: Int

    /// One use of memory.
    package init(name: String, bytes: Int) {
      self.name = name
      self.bytes = bytes
    }
  }

  /// The memory policy under which the model is run.
  public let policy: MemoryPolicy
  /// The parts in the order of a report. They do not overlap.
  public private(set) var parts: [Part] = []

  /// The sum of the parts: the peak resident set.
  public var peakBytes: Int { parts.reduce(0) { $0 + $1.bytes } }

  /// A measured reserve for reading lines, answers and the allocator, and for what a policy needs
  /// besides: pages that layers share at their ends, or the part of a compressed section that is
  /// read at a time.
  ///
  /// - Parameter compressed: the stored size in bytes of the largest compressed layer, whose pages
  ///   are resident while it is decoded; 0 if no layer is compressed.
  private static func reserve(_ policy: MemoryPolicy, compressed: Int) -> Int {
    switch policy {
    case .resident: compressed > 0 ? 1536 << 10 : 640 << 10
    case .stream: (compressed > 0 ? 600 << 10 : 680 << 10) + compressed
    case .release: 760 << 10
    }
  }

  /// A footprint of known parts.
  package init(_ policy: MemoryPolicy, parts: [Part]) {
    self.policy = policy
    self.parts = parts
  }

  /// - Parameters:
  ///   - program: the measured memory of the process without the arena and without the model's
  ///     file.
  ///   - tables: the measured resident parts of the file, except layers.
  ///   - arena: the arena of the encoder that will do the work.
  ///   - callers: the number of encoders that work at a time, each with its own arena.
  ///   - more: other known memory, such as an adapter.
  init(
    _ policy: MemoryPolicy, program: Int, tables: [Part], container: Container, layers: [Int],
    arena: ArenaLayout, callers: Int, more: Int
  ) {
    self.policy = policy
    parts.append(Part(name: "program", bytes: program))
    parts += tables
    parts.append(
      Part(name: "layers", bytes: Self.layerBytes(policy, container, layers, callers)))
    var caches = 0
    for region in arena.regions where region.isCache { caches += region.length }
    if caches > 0 { parts.append(Part(name: "keys and values", bytes: callers * caches)) }
    parts.append(Part(name: "arena", bytes: callers * (arena.length - caches)))
    if more > 0 { parts.append(Part(name: "adapter", bytes: more)) }
    parts.append(
      Part(
        name: "reserve",
        bytes: Self.reserve(
          policy,
          compressed: layers.reduce(0) {
            let section = container.sections[$1]
            return section.encoding == .raw ? $0 : max($0, section.length)
          })))
  }

  /// The bytes of sections in pages of 4 KiB, each section counted separately.
  private static func layerBytes(
    _ policy: MemoryPolicy, _ container: Container, _ layers: [Int], _ callers: Int
  ) -> Int {
    func pages(_ bytes: Int) -> Int { (bytes + 8191) / 4096 * 4096 }
    var sum = 0
    var largest = 0
    for section in layers {
      let bytes = pages(container.sections[section].rawLength)
      sum += bytes
      largest = max(largest, bytes)
    }
    switch policy {
    case .resident: return sum
    case .release: return callers * largest
    case .stream: return callers * 2 * largest
    }
  }
}

extension Footprint {
  /// The footprint of each policy, from the fastest to the smallest.
  ///
  /// Runs one short text under the policy that takes least, and measures what is resident
  /// afterwards.
  ///
  /// - Parameters:
  ///   - path: the file of the model.
  ///   - options: the options of the work. Their policy is ignored.
  ///   - callers: the number of callers that are served at a time.
  ///   - more: bytes that the work needs beside the model.
  /// - Throws: the errors of opening the model; `internalFault` if the system does not report the
  ///   memory of a process.
  package static func each(
    of path: String, options: TextEncoder.Options, callers: Int = 1, more: Int = 0
  ) throws(VDSQError) -> [Footprint] {
    let container = try Container(path: path, kind: .model, decoding: .allButLayers)
    let layers = container.sections.indices.filter { container.sections[$0].isLayer }
    let isCompressed = layers.contains { container.sections[$0].encoding != .raw }
    var options = options
    options.policy = isCompressed ? .stream : .release
    let encoder = try TextEncoder(container, options: options)
    try rehearse(encoder)
    guard
      let (anonymous, mapped) = isCompressed
        ? settledResidentBytes() : ProcessMemory.exactResidentBytes()
    else {
      throw ProcessMemory.unknown
    }
    var (file, tokenizer, embeddings, rest, decoded) = (mapped, 0, 0, 0, 0)
    for index in container.sections.indices {
      let section = container.sections[index]
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
    let tables = [
      Part(name: "tokenizer", bytes: tokenizer), Part(name: "embeddings", bytes: embeddings),
      Part(name: "metadata", bytes: rest),
    ]
    let buffers = isCompressed ? layerBytes(.stream, container, layers, 1) : 0
    let program = anonymous - encoder.presentArenaBytes - buffers - decoded + file
    // Compressed layers have no map whose pages could be released.
    return MemoryPolicy.all.filter { !isCompressed || $0 != .release }.map {
      Footprint(
        $0, program: program, tables: tables, container: container, layers: layers,
        arena: encoder.arena, callers: callers, more: more)
    }
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

  /// The fastest policy within a budget.
  ///
  /// - Parameters:
  ///   - budget: the limit of the process's peak memory in bytes.
  ///   - callers: the number of callers that are served at a time.
  ///   - policies: the policies to choose from.
  /// - Throws: `budgetTooSmall`, with the smallest sufficient budget, and the errors of `each`.
  package static func policy(
    within budget: Int, of path: String, options: TextEncoder.Options, callers: Int,
    among policies: [MemoryPolicy], more: Int
  ) throws(VDSQError) -> MemoryPolicy {
    let all = try each(of: path, options: options, callers: callers, more: more)
    return try fastest(of: all, within: budget, among: policies).policy
  }

  /// The budget to suggest for a peak, in whole kibibytes. It has a margin, because the memory of a
  /// program differs slightly between runs and a suggested budget must suffice.
  package static func namedBudget(for peakBytes: Int) -> Int {
    (peakBytes + (256 << 10) + 1023) / 1024 * 1024
  }

  /// The first footprint that a budget allows.
  ///
  /// - Throws: `budgetTooSmall`, with the smallest sufficient budget.
  package static func fastest(
    of all: [Footprint], within budget: Int, among policies: [MemoryPolicy]
  ) throws(VDSQError) -> Footprint {
    var smallest = Int.max
    for footprint in all where policies.contains(footprint.policy) {
      if footprint.peakBytes <= budget { return footprint }
      smallest = min(smallest, footprint.peakBytes)
    }
    guard smallest < .max else {
      throw .usage(
        "release: compressed layers cannot be released; stream them", .memoryPolicy)
    }
    throw VDSQError(
      .budgetTooSmall,
      "this needs \(namedBudget(for: smallest) / 1024)K at least; shorter texts, smaller batches or "
        + "fewer threads need less", .memoryBudget)
  }

  /// Classifies one text as the work will, so that the code and the tables that it needs are
  /// resident.
  private static func rehearse(_ encoder: TextEncoder) throws(VDSQError) {
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
      let text: StaticString = "a text"
      try stream.add(
        TextRecord(
          text: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount),
          line: 1, isCut: false, isReplaced: false, fields: nil))
      try stream.flush()
    }
  }
}
