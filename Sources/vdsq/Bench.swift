import ArgumentParser
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQMeasurement

struct Bench: Command {
  static let configuration = CommandConfiguration(
    abstract: "Measures a model end to end, its forward pass alone, or the kernels.",
    discussion: """
      With a model: the start time, with and without the file in the page cache; latency \
      percentiles of single texts; texts per second in batches; resident memory, page faults, \
      bytes read, and energy if RAPL is readable. Texts come from --texts, one per line, or are \
      built-in samples.

      With --tokens: the forward pass alone, over sequences of that many tokens. With --kernels: \
      each kernel at the shapes of real models, with its time, speed and share of the machine's \
      limit. The limit is set by memory (read in turns with the kernel by a loop that only reads) \
      and by multiplications in registers. Both are medians. VDSQ_ISA chooses the instruction set.

      --compare OLD.json shows each figure beside that of an earlier run with --json.
      """)

  @Argument(help: "A .vdsq file.")
  var model: String?

  @Option(help: "A file of texts, one per line, to measure the model with.")
  var texts: String?

  @Option(help: "Measure the forward pass alone, with this many tokens; may be repeated.")
  var tokens: [Int] = []

  @Flag(help: "Measure the kernels.")
  var kernels = false

  @Option(help: "Only kernels of this name; may be repeated.")
  var kernel: [String] = []

  @Option(help: "Only operands of this shape, ROWSxCOLUMNS.")
  var shape: String?

  @Option(help: "Sequences in a batch, or texts of maximum length.")
  var batch = 1

  @Option(help: "Threads that share the work; may be repeated with --tokens and --kernels.")
  var threads: [Int] = []

  @Option(help: "Cut texts to this many tokens.")
  var maxTokens: Int?

  @Option(help: "How layers are kept in memory: resident, release or stream.")
  var memoryPolicy: MemoryPolicy?

  @OptionGroup var memory: MemoryOptions

  @Option(
    help: "Minimum seconds per measurement; default 2 for a model, 0.3 for --tokens and --kernels.")
  var seconds: Double?

  @Option(help: "The --json output of an earlier run.")
  var compare: String?

  @Flag(help: "Write JSON: an object, or an array of rows with --tokens and --kernels.")
  var json = false

  func validate() throws {
    guard kernels != (model != nil) else {
      throw ValidationError("give either a .vdsq file or --kernels")
    }
    guard !kernels || (tokens.isEmpty && texts == nil) else {
      throw ValidationError("--tokens and --texts go with a .vdsq file")
    }
    guard tokens.isEmpty || texts == nil else {
      throw ValidationError("--tokens is of no text; leave --texts out")
    }
    guard kernels || tokens.count > 0 || threads.count < 2 else {
      throw ValidationError("--threads: once only where texts are benched")
    }
    let seconds = seconds ?? 0
    guard seconds >= 0, seconds <= 3600 else { throw ValidationError("--seconds: from 0 to 3600") }
    for n in threads where n < 1 || n > 256 { throw ValidationError("--threads: from 1 to 256") }
    guard batch >= 1, batch <= 4096 else { throw ValidationError("--batch: from 1 to 4096") }
    let names = Set(KernelBench.setups.map(\.kernel))
    for name in kernel where !names.contains(name) {
      throw ValidationError("--kernel \(name): one of \(names.sorted().joined(separator: ", "))")
    }
  }

  func execute() throws(VDSQError) {
    // Before the work: it may be named wrongly.
    let old = try compare.map { (path) throws(VDSQError) in try BenchFigures(path: path) }
    let isPlain = !json && old == nil
    let result: String
    if let model {
      result =
        try tokens.isEmpty
        ? texts(of: model, isPlain: isPlain) : passes(of: model, isPlain: isPlain)
    } else {
      result = try kernelRows(isPlain: isPlain)
    }
    guard let old else { return print(result, terminator: json ? "\n" : "") }
    let new = try BenchFigures(result, context: "the new figures")
    print(try json ? new.comparison(with: old, adding: result) : new.table(beside: old))
  }

  /// - Returns: a JSON array; empty where rows are written as they come.
  private func kernelRows(isPlain: Bool) throws(VDSQError) -> String {
    let threads = threads.isEmpty ? [1] : threads
    let bench = KernelBench(
      kernels: try KernelTable.select(), threads: threads.max()!, seconds: seconds ?? 0.3)
    if isPlain {
      print(
        "\(bench.kernels.name): \(fixed(bench.limits.int8Products / 1e9, 0)) GMAC/s of int8 and "
          + "\(fixed(bench.limits.floatProducts / 1e9, 0)) of float32 on one thread at most\n")
      print(
        padded("kernel", 18)
          + ["rows", "cols", "batch", "threads", "ms", "GB/s", "GMAC/s", "limit"]
          .map { rightAligned($0, 9) }.joined())
    }
    var rows: [String] = []
    for setup in KernelBench.setups where kernel.isEmpty || kernel.contains(setup.kernel) {
      guard shape == nil || shape == setup.shape else { continue }
      let ready = setup.make(bench)
      for count in threads {
        let result = bench.measure(ready, threads: count)
        rows.append(object(result))
        if isPlain { print(line(result)) }
      }
    }
    guard !rows.isEmpty else { throw .usage("--shape \(shape ?? ""): no kernel is measured at it") }
    return isPlain ? "" : "[\(rows.joined(separator: ",\n"))]"
  }

  private func line(_ r: KernelResult) -> String {
    let numbers = [
      "\(r.rows)", "\(r.columns)", "\(r.batch)", "\(r.threads)", significant(r.milliseconds),
      fixed(r.gigabytesPerSecond, 1), fixed(r.gigaproductsPerSecond, 1),
      fixed(r.shareOfLimit * 100, 0) + "%",
    ]
    return padded(r.kernel, 18) + numbers.map { rightAligned($0, 9) }.joined()
  }

  private func object(_ r: KernelResult) -> String {
    """
    {"kernel": "\(r.kernel)", "isa": "\(r.isa)", "rows": \(r.rows), "cols": \(r.columns), \
    "batch": \(r.batch), "threads": \(r.threads), "ms": \(r.milliseconds), \
    "gb_per_s": \(r.gigabytesPerSecond), "gmac_per_s": \(r.gigaproductsPerSecond), \
    "share_of_limit": \(r.shareOfLimit)}
    """
  }

  /// The forward pass alone.
  private func passes(of path: String, isPlain: Bool) throws(VDSQError) -> String {
    var objects: [String] = []
    for count in threads.isEmpty ? [1] : threads {
      var options = TextEncoder.Options()
      options.threads = count
      options.maximumTokens = maxTokens
      options.batch = batch
      let opened = try OpenedModel(
        path, options, among: MemoryPolicy.among(memoryPolicy), budget: memory.bytes())
      for length in tokens {
        let r = try ForwardBench(
          opened.container, batch: batch, tokens: length, threads: count,
          seconds: seconds ?? 0.3, policy: opened.options.policy)
        objects.append(
          """
          {"batch": \(r.batch), "tokens": \(r.tokens), "threads": \(r.threads), \
          "ms": \(r.milliseconds), "share_of_peak": \(r.shareOfPeak)}
          """)
        guard isPlain else { continue }
        print(
          "\(r.batch) x \(r.tokens) tokens, \(r.threads) thread\(r.threads == 1 ? "" : "s"): "
            + "\(significant(r.milliseconds)) ms, \(fixed(r.shareOfPeak * 100, 0))% of the peak "
            + "multiplication rate")
      }
    }
    return isPlain ? "" : "[\(objects.joined(separator: ",\n"))]"
  }

  /// Starts, and texts one by one and in batches.
  private func texts(of path: String, isPlain: Bool) throws(VDSQError) -> String {
    var options = TextEncoder.Options()
    options.threads = threads.first ?? 1
    options.maximumTokens = maxTokens
    options.batch = batch
    options.keepsThreadsBusy = true
    let report = try BenchReport(
      path, options, policy: memoryPolicy, budget: memory.bytes(), texts: texts,
      seconds: seconds ?? 2)
    return isPlain ? report.lines : report.object
  }
}
