import ArgumentParser
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQMeasurement

struct Bench: Command {
  static let configuration = CommandConfiguration(
    abstract: "Measures a model's forward pass.")

  @Argument(help: "The .vdsq file.")
  var model: String?

  @Option(help: "Tokens in each sequence.")
  var tokens: [Int] = [8, 32, 128]

  @Option(help: "Sequences in a batch.")
  var batch = 1

  @Option(help: "Threads that share the work.")
  var threads = 1

  func execute() throws(VDSQError) {
    guard let model else {
      let b = KernelBench(kernels: try KernelTable.select(), threads: threads, seconds: 0.3)
      print("peak", b.limits.int8Products / 1e9, b.limits.floatProducts / 1e9)
      for (n, k) in [(1152, 384), (384, 384), (1536, 384), (384, 1536)] {
        for m in [8, 32, 128] {
          for act in [Activation.identity, .gelu] {
            let r = b.measure(
              b.linear(.int8, outputs: n, inputs: k, batch: m, activation: act), threads: threads)
            print(
              r.kernel, n, k, m, fixed(r.milliseconds, 4), fixed(r.gigaproductsPerSecond, 1),
              fixed(r.shareOfLimit, 3))
          }
        }
      }
      return
    }
    let container = try Container(path: model, kind: .model)
    for tokens in tokens {
      let encoder = try Encoder(
        container, kernels: try .select(), threads: ThreadPool(count: threads),
        precision: .integer, tokenCapacity: tokens * batch)
      var b = TokenBatch()
      for s in 0..<batch {
        for i in 0..<tokens { b.ids.append(Int32(1000 + (s * 7919 + i * 104729) % 20000)) }
        b.endSequence()
      }
      let seconds = Timing.median(seconds: 1) { _ = try? encoder.encode(b) }
      print("\(batch) x \(tokens), \(threads) threads: \(fixed(seconds * 1000, 3)) ms")
    }
  }
}
