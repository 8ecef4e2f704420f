import VDSQCheckpoints
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQMeasurement

/// What `vdsq bench` finds out about a model, as lines and as JSON.
struct BenchReport {
  private let path: String
  private let isa: String
  private let options: TextEncoder.Options
  private let longest: Int
  private let distinctTexts: Int
  private let start: StartBench
  private let bench: TextBench

  /// - Parameters:
  ///   - texts: a file of texts, a line each; nil for a few of our own.
  ///   - seconds: for texts one by one, and again in batches.
  init(
    _ path: String, _ options: TextEncoder.Options, policy: MemoryPolicy?, budget: Int?,
    texts: String?, seconds: Double
  ) throws(VDSQError) {
    self.path = path
    let lines = try Self.lines(texts)
    distinctTexts = lines.count
    // Where the file is no model, that is said here and not by a process that fails.
    let policy = try OpenedModel(
      path, options, among: MemoryPolicy.among(policy), budget: budget
    ).options.policy
    // While this process has nothing of the file mapped, it can be taken out of the page cache.
    start = try StartBench(
      ["/proc/self/exe", "embed", path, "--threads", "\(options.threads)"]
        + (options.maximumTokens.map { ["--max-tokens", "\($0)"] } ?? [])
        + ["--memory-policy", policy.name],
      file: path)
    let before = ProcessCounters.now()
    let opened = try OpenedModel(path, options, among: [policy], budget: nil)
    let encoder = try opened.encoder()
    self.options = opened.options
    isa = "\(encoder.kernels.name)"
    longest = encoder.maximumTokens
    bench = try TextBench(encoder, opened: before, texts: lines, seconds: seconds)
  }

  private static func lines(_ path: String?) throws(VDSQError) -> [[UInt8]] {
    guard let path else { return SampleTexts.all.map { Array($0.utf8) } }
    let bytes = try InputFile.contents(of: path, limit: 64 << 20)
    let lines = bytes.split(separator: UInt8(ascii: "\n")).map { Array($0) }
    guard !lines.isEmpty else { throw .badInput("\(path): no texts; give a line each") }
    return lines
  }

  /// For people.
  var lines: String {
    let l = bench.latency
    let faults = bench.steady
    func row(_ name: String, _ value: String) -> String { "\(padded(name, 20))\(value)\n" }
    func milliseconds(_ value: Double) -> String { "\(significant(value)) ms" }
    func bytes(_ value: Int?) -> String { value.map(mebibytes) ?? "unknown" }
    func perText(_ value: Int?) -> String {
      value.map { significant(Double($0) / Double(bench.steadyTexts)) } ?? "unknown"
    }
    let threads = "\(options.threads) thread\(options.threads == 1 ? "" : "s")"
    return row("model", "\(path), \(isa), \(options.policy.name), \(threads)")
      + row("texts", "\(distinctTexts), of \(longest) tokens at most")
      + row(
        "start to answer",
        "\(milliseconds(start.warmMilliseconds)) with the file in the page cache, "
          + (start.coldMilliseconds.map { "\(milliseconds($0)) without" } ?? "unknown without"))
      + row(
        "one by one",
        "p50 \(significant(l.p50)), p90 \(significant(l.p90)), p99 \(significant(l.p99)), "
          + "p99.9 \(significant(l.p999)), at most \(significant(l.maximum)) ms (\(l.count) texts)")
      + row(
        "in batches",
        "\(fixed(bench.textsPerSecond, 0)) texts/s, \(fixed(bench.tokensPerSecond, 0)) tokens/s")
      + row(
        "resident memory",
        "\(bytes(bench.peakBytes)) at its peak; then \(bytes(bench.anonymousBytes)) anonymous, "
          + "\(bytes(bench.fileBytes)) of files")
      + row(
        "page faults",
        "\(perText(faults.minorFaults)) minor and \(perText(faults.majorFaults)) major a text; "
          + "\(bench.warmup.minorFaults) and \(bench.warmup.majorFaults) to open it and warm up")
      + row(
        "bytes read",
        "\(perText(faults.storageBytes)) from storage and \(perText(faults.callBytes)) by calls a text; "
          + "\(bytes(bench.warmup.storageBytes)) and \(bytes(bench.warmup.callBytes)) to open it and warm up"
      )
      + row(
        "energy",
        faults.joules.flatMap { $0 > 0 ? $0 : nil }.map {
          "\(significant($0 / Double(bench.steadyTexts) * 1e3)) mJ a text, of the whole package"
        } ?? "unknown: no readable RAPL counter")
  }

  /// For programs.
  var object: String {
    let l = bench.latency
    func optional<T>(_ value: T?) -> String { value.map { "\($0)" } ?? "null" }
    func counters(_ c: ProcessCounters) -> String {
      """
      {"minor_faults": \(c.minorFaults), "major_faults": \(c.majorFaults), \
      "storage_bytes": \(optional(c.storageBytes)), "call_bytes": \(optional(c.callBytes)), \
      "joules": \(optional(c.joules))}
      """
    }
    return """
      {"model": \(Provenance.quoted(path)), "isa": "\(isa)", "policy": "\(options.policy.name)", \
      "threads": \(options.threads), "batch": \(options.batch), "max_tokens": \(longest), \
      "texts": \(distinctTexts),
      "start_ms": {"warm": \(start.warmMilliseconds), "cold": \(optional(start.coldMilliseconds))},
      "latency_ms": {"mean": \(l.mean), "p50": \(l.p50), "p90": \(l.p90), "p99": \(l.p99), \
      "p99_9": \(l.p999), "max": \(l.maximum), "count": \(l.count)},
      "throughput": {"texts_per_s": \(bench.textsPerSecond), "tokens_per_s": \(bench.tokensPerSecond)},
      "memory_bytes": {"peak": \(optional(bench.peakBytes)), \
      "anonymous": \(optional(bench.anonymousBytes)), "file": \(optional(bench.fileBytes))},
      "warmup": \(counters(bench.warmup)),
      "steady": \(counters(bench.steady)), "steady_texts": \(bench.steadyTexts)}
      """
  }
}
