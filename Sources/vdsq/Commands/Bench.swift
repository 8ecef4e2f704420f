import ArgumentParser
import VDSQ
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQMeasurement
import VDSQReports
import VDSQStreams

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

  @Argument(help: "A .vdsq file.", completion: .file())
  var model: String?

  @Option(help: "A file of texts, one per line, to measure the model with.", completion: .file())
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

  @Option(
    help: "How layers are kept in memory: resident, release or stream.",
    completion: .list(MemoryPolicy.allValueStrings))
  var memoryPolicy: MemoryPolicy?

  @OptionGroup var memory: MemoryOptions

  @Option(
    help: "Minimum seconds per measurement; default 2 for a model, 0.3 for --tokens and --kernels.")
  var seconds: Double?

  @Option(help: "The --json output of an earlier run.", completion: .file())
  var compare: String?

  @Flag(help: "Write JSON: an object, or an array of rows with --tokens and --kernels.")
  var json = false

  var files: CommandFiles {
    CommandFiles(inputs: [model, texts, compare])
  }

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
    // Read first, because it may be named wrongly and the work takes long.
    let old = try compare.map { (path) throws(VDSQError) in
      try BenchComparison.earlier(path: path)
    }
    let isPlain = !json && old == nil
    let result: BenchRecord
    if let model {
      result =
        try tokens.isEmpty
        ? texts(of: model, isPlain: isPlain) : passes(of: model, isPlain: isPlain)
    } else {
      result = try kernelRows(isPlain: isPlain)
    }
    if isPlain { return }
    guard let old else {
      return try StandardOutput.write(line: JSONWriter.string { $0.write(result) })
    }
    try print(try BenchComparison(result, with: old, path: compare!), json: json)
  }

  /// Each kernel at each shape; plain rows are written as they come.
  private func kernelRows(isPlain: Bool) throws(VDSQError) -> BenchRecord {
    let threads = threads.isEmpty ? [1] : threads
    let bench = KernelBench(
      kernels: try KernelTable.select(), threads: threads.max()!, seconds: seconds ?? 0.3)
    if isPlain { try StandardOutput.write(line: bench.heading) }
    var rows: [BenchRecord] = []
    for setup in KernelBench.setups where kernel.isEmpty || kernel.contains(setup.kernel) {
      guard shape == nil || shape == setup.shape else { continue }
      let ready = setup.make(bench)
      for count in threads {
        let result = bench.measure(ready, threads: count)
        rows.append(result.record)
        if isPlain { try StandardOutput.write(line: result.text) }
      }
    }
    guard !rows.isEmpty else { throw .usage("--shape \(shape ?? ""): no kernel is measured at it") }
    return .rows(rows)
  }

  private func run(threads: Int) throws(VDSQError) -> RunOptions {
    var run = RunOptions()
    run.threads = threads
    run.maximumTokens = maxTokens
    run.batch = batch
    run.memoryPolicy = memoryPolicy
    run.memoryBudget = try memory.bytes()
    return run
  }

  /// The forward pass alone; plain rows are written as they come.
  private func passes(of path: String, isPlain: Bool) throws(VDSQError) -> BenchRecord {
    var rows: [BenchRecord] = []
    for count in threads.isEmpty ? [1] : threads {
      let opened = try Model(path: path)
      let policy = try opened.encoderOptions(try run(threads: count)).policy
      for length in tokens {
        let result = try ForwardBench(
          try opened.container(for: policy), batch: batch, tokens: length, threads: count,
          seconds: seconds ?? 0.3, policy: policy)
        rows.append(result.record)
        if isPlain { try StandardOutput.write(line: result.text) }
      }
    }
    return .rows(rows)
  }

  /// Starts, and texts one by one and in batches.
  private func texts(of path: String, isPlain: Bool) throws(VDSQError) -> BenchRecord {
    let lines = try self.texts.map { (path) throws(VDSQError) in try TextLines(path: path) }
    // A file that is no model is refused here, and not by a process that fails.
    var options = try Model(path: path).encoderOptions(try run(threads: threads.first ?? 1))
    options.keepsThreadsBusy = true
    let bench = try ModelBench(
      path, options, texts: lines?.texts ?? SampleTexts.all.map { Array($0.utf8) },
      starting: ["/proc/self/exe", "embed", path, "-q", "--threads", "\(options.threads)"]
        + (maxTokens.map { ["--max-tokens", "\($0)"] } ?? [])
        + ["--memory-policy", options.policy.name],
      seconds: seconds ?? 2)
    ChangedTexts(
      count: bench.distinctTexts, truncated: bench.texts.truncated, tokens: bench.longest,
      replaced: lines?.replaced ?? 0
    ).tell(self.texts)
    if isPlain { try StandardOutput.write(line: bench.text) }
    return bench.record
  }
}
