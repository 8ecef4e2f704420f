package import VDSQFormat
public import VDSQInference

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

  /// The number of tokens that texts are cut to.
  public let maximumTokens: Int
  /// Whether this is less than was wanted, because a budget has room for no more.
  package let isCut: Bool

  /// The sum of the parts: the peak resident set.
  public var peakBytes: Int { parts.reduce(0) { $0 + $1.bytes } }

  /// A measured reserve for reading lines, answers and the allocator, and for what a policy needs
  /// besides: pages that layers share at their ends, or the part of a compressed section that is
  /// read at a time.
  ///
  /// - Parameters:
  ///   - compressed: the stored size in bytes of the largest compressed layer, whose pages are
  ///     resident while it is decoded; 0 if no layer is compressed.
  ///   - largest: the size in bytes of the largest layer, of which a part is resident beside
  ///     another while pages are released.
  private static func reserve(_ policy: MemoryPolicy, compressed: Int, largest: Int) -> Int {
    switch policy {
    case .resident: compressed > 0 ? 1536 << 10 : 640 << 10
    case .stream: (compressed > 0 ? 600 << 10 : 680 << 10) + compressed
    case .release: max(760 << 10, (256 << 10) + largest / 3)
    }
  }

  /// A footprint of known parts.
  package init(_ policy: MemoryPolicy, parts: [Part], maximumTokens: Int, isCut: Bool) {
    self.policy = policy
    self.parts = parts
    self.maximumTokens = maximumTokens
    self.isCut = isCut
  }

  /// - Parameters:
  ///   - program: the measured memory of the program.
  ///   - maximumTokens: the number of tokens that texts are cut to.
  ///   - isCut: whether this is less than was wanted.
  init(_ policy: MemoryPolicy, of program: MeasuredProgram, maximumTokens: Int, isCut: Bool) {
    let (container, layers, callers) = (program.container, program.layers, program.callers)
    let arena = program.encoder.arena(maximumTokens: maximumTokens)
    self.policy = policy
    self.maximumTokens = maximumTokens
    self.isCut = isCut
    parts.append(Part(name: "program", bytes: program.bytes))
    parts += program.tables
    parts.append(
      Part(name: "layers", bytes: Self.layerBytes(policy, container, layers, callers)))
    var caches = 0
    for region in arena.regions where region.isCache { caches += region.length }
    if caches > 0 { parts.append(Part(name: "keys and values", bytes: callers * caches)) }
    parts.append(Part(name: "arena", bytes: callers * (arena.length - caches)))
    let rows = program.encoder.options.comparedBytes(
      of: program.container, policy, callers: callers)
    if rows > 0 { parts.append(Part(name: "vocabulary", bytes: rows)) }
    let more = program.more + program.morePerToken * maximumTokens
    if more > 0 { parts.append(Part(name: "classifier", bytes: more)) }
    parts.append(
      Part(
        name: "reserve",
        bytes: Self.reserve(
          policy,
          compressed: layers.reduce(0) {
            let section = container.sections[$1]
            return section.encoding == .raw ? $0 : max($0, section.length)
          },
          largest: layers.reduce(0) { max($0, container.sections[$1].rawLength) })))
  }

  /// The bytes of sections in pages of 4 KiB, each section counted separately.
  static func layerBytes(
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
  /// The lengths at which texts are cut for a budget, below `longest`: multiples of 32 tokens, an
  /// eighth apart. In finer steps small differences between runs would change the cut.
  private static func cuts(below longest: Int) -> [Int] {
    var cuts: [Int] = []
    var tokens = 32
    while tokens < longest {
      cuts.append(tokens)
      tokens += max(32, tokens / 256 * 32)
    }
    return cuts
  }

  /// The footprint of each policy, from the fastest to the smallest.
  ///
  /// Runs one short text under the policy that takes least, and measures what is resident
  /// afterwards.
  ///
  /// - Parameters:
  ///   - path: the file of the model.
  ///   - options: the options of the work. Their policy is ignored.
  ///   - callers: the number of callers that are served at a time.
  ///   - more: bytes that the work needs beside the model; `morePerToken` for each token of a text.
  ///   - budget: a limit of the peak memory in bytes for which texts may be cut. If no policy has
  ///     room for texts of maximum length, the footprints are those of the longest texts for which
  ///     one has room, of 32 tokens at least. Nil cuts no texts.
  ///   - policies: the policies that the budget may lead to.
  /// - Throws: the errors of opening the model; `internalFault` if the system does not report the
  ///   memory of a process.
  package static func each(
    of path: String, options: TextEncoder.Options, callers: Int = 1, more: Int = 0,
    morePerToken: Int = 0, cutFor budget: Int? = nil,
    among policies: [MemoryPolicy] = MemoryPolicy.all
  ) throws(VDSQError) -> [Footprint] {
    let program = try MeasuredProgram(
      path, options: options, callers: callers, more: more, morePerToken: morePerToken)
    func footprints(_ tokens: Int) -> [Footprint] {
      program.policies.map {
        Footprint(
          $0, of: program, maximumTokens: tokens, isCut: tokens < program.encoder.maximumTokens)
      }
    }
    func fits(_ all: [Footprint]) -> Bool {
      guard let budget else { return true }
      return all.contains { policies.contains($0.policy) && $0.peakBytes <= budget }
    }
    let longest = program.encoder.maximumTokens
    let all = footprints(longest)
    let cuts = cuts(below: longest)
    guard let least = cuts.first, !fits(all) else { return all }
    // A refusal tells of the least.
    return footprints(cuts.last { fits(footprints($0)) } ?? least)
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
    var smallest: Footprint?
    for footprint in all where policies.contains(footprint.policy) {
      if footprint.peakBytes <= budget { return footprint }
      if footprint.peakBytes < smallest?.peakBytes ?? .max { smallest = footprint }
    }
    guard let smallest else {
      throw .usage(
        "release: compressed layers cannot be released; stream them", .memoryPolicy)
    }
    let least = "\(namedBudget(for: smallest.peakBytes) / 1024)K at least"
    throw VDSQError(
      .budgetTooSmall,
      smallest.isCut
        ? "this needs \(least), for texts of \(smallest.maximumTokens) tokens; smaller batches or "
          + "fewer threads need less"
        : "this needs \(least); shorter texts, smaller batches or fewer threads need less",
      .memoryBudget)
  }

  /// Tells, for a person, that the budget cuts texts; nil if it does not.
  package var cutWarning: String? {
    isCut
      ? "the memory budget has room for texts of \(maximumTokens) tokens; longer texts are cut"
      : nil
  }
}
