import ArgumentParser
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQMeasurement

struct Bench: Command {
  static let configuration = CommandConfiguration(
    abstract:
      "Measures kernels beside what the machine could do at most, or a model's forward pass.",
    discussion: """
      With --kernels: each kernel at the shapes of real models, as time, speed, and share of the limit \
      that memory (read alternately, by a loop that does nothing else) and multiplications (in \
      registers) set. With a model: the forward pass over sequences of --tokens tokens. Medians. \
      VDSQ_ISA chooses the instruction set.
      """)

  @Argument(help: "A .vdsq file, for its forward pass.")
  var model: String?

  @Flag(help: "Measure the kernels.")
  var kernels = false

  @Option(help: "Only kernels of this name; may be repeated.")
  var kernel: [String] = []

  @Option(help: "Only operands of this shape, ROWSxCOLUMNS.")
  var shape: String?

  @Option(help: "Tokens in each sequence; may be repeated.")
  var tokens: [Int] = []

  @Option(help: "Sequences in a batch.")
  var batch = 1

  @Option(help: "Threads that share the work; may be repeated.")
  var threads: [Int] = []

  @Option(help: "Seconds for each measurement, at least.")
  var seconds = 0.3

  @Flag(help: "Write a JSON array of rows.")
  var json = false

  func validate() throws {
    guard kernels != (model != nil) else {
      throw ValidationError("give either a .vdsq file or --kernels")
    }
    guard seconds >= 0, seconds <= 3600 else { throw ValidationError("--seconds: from 0 to 3600") }
    for n in threads where n < 1 || n > 256 { throw ValidationError("--threads: from 1 to 256") }
    let names = Set(KernelBench.setups.map(\.kernel))
    for name in kernel where !names.contains(name) {
      throw ValidationError("--kernel \(name): one of \(names.sorted().joined(separator: ", "))")
    }
  }

  func execute() throws(VDSQError) {
    let threads = threads.isEmpty ? [1] : threads
    if let model { return try measure(model, threads) }
    let bench = KernelBench(
      kernels: try KernelTable.select(), threads: threads.max()!, seconds: seconds)
    if !json {
      print(
        "\(bench.kernels.name): \(fixed(bench.limits.int8Products / 1e9, 0)) GMAC/s of int8 and "
          + "\(fixed(bench.limits.floatProducts / 1e9, 0)) of float32 on one thread at most\n")
      print(
        padded("kernel", 18)
          + ["rows", "cols", "batch", "threads", "ms", "GB/s", "GMAC/s", "limit"]
          .map { rightAligned($0, 9) }.joined())
    }
    var rows = 0
    for setup in KernelBench.setups where kernel.isEmpty || kernel.contains(setup.kernel) {
      guard shape == nil || shape == setup.shape else { continue }
      let ready = setup.make(bench)
      for count in threads {
        let result = bench.measure(ready, threads: count)
        print(
          json ? (rows == 0 ? "[" : ",\n") + object(result) : line(result),
          terminator: json ? "" : "\n")
        rows += 1
      }
    }
    guard rows > 0 else { throw .usage("--shape \(shape ?? ""): no kernel is measured at it") }
    if json { print("]") }
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

  private func measure(_ path: String, _ threads: [Int]) throws(VDSQError) {
    let container = try Container(path: path, kind: .model)
    var objects: [String] = []
    for count in threads {
      for length in tokens.isEmpty ? [8, 32, 128] : tokens {
        let r = try EncoderBench(
          container, batch: batch, tokens: length, threads: count, seconds: seconds)
        if json {
          objects.append(
            """
            {"batch": \(r.batch), "tokens": \(r.tokens), "threads": \(r.threads), \
            "ms": \(r.milliseconds), "share_of_peak": \(r.shareOfPeak)}
            """)
        } else {
          print(
            "\(r.batch) x \(r.tokens) tokens, \(r.threads) thread\(r.threads == 1 ? "" : "s"): "
              + "\(significant(r.milliseconds)) ms, \(fixed(r.shareOfPeak * 100, 0))% of the peak "
              + "multiplication rate")
        }
      }
    }
    if json { print("[" + objects.joined(separator: ",\n") + "]") }
  }
}
