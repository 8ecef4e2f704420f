import ArgumentParser
import VDSQ
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQMeasurement
import VDSQSemantics

struct Plan: Command {
  static let configuration = CommandConfiguration(
    abstract: "Computes the memory that running a model will take, part by part, before the work.",
    discussion: """
      One short text passes through the model to measure what the program itself takes. The rest \
      is arithmetic: layers under each policy, arena and caches at the maximum for --max-tokens, \
      --batch and --threads, and an adapter. With --memory-budget, names the policy that would be \
      chosen, or exits with 75. --speed also measures the time under each policy.
      """)

  @Argument(help: "The .vdsq file.")
  var model: String

  @Option(help: "An adapter to include.")
  var adapter: String?

  @Flag(help: "Measure the time of a full batch under each policy that the budget allows.")
  var speed = false

  @Flag(help: "Write JSON.")
  var json = false

  @OptionGroup var encoding: EncoderOptions

  func execute() throws(VDSQError) {
    let learned = try adapter.map { (path) throws(VDSQError) in
      try Adapter(
        path: path, model: try Container(path: model, kind: .model, decoding: .noWeights))
    }
    let options = encoding.options(intermediateFeatures: learned?.intermediateFeatures ?? [])
    let all = try Footprint.each(of: model, options: options, more: 2 * (learned?.bytes ?? 0))
    let budget = try encoding.memory.bytes()
    let policies = MemoryPolicy.among(encoding.memoryPolicy)
    let allowed = all.filter { policies.contains($0.policy) }
    let smallest = Footprint.namedBudget(for: allowed.map(\.peakBytes).min() ?? 0)
    let chosen = try Footprint.fastest(of: all, within: budget ?? .max, among: policies)
    var seconds: [String: Double] = [:]
    if speed {
      for footprint in allowed where footprint.peakBytes <= budget ?? .max {
        seconds[footprint.policy.name] = try time(footprint.policy, options)
      }
    }
    if json {
      print(object(chosen, allowed, smallest, seconds))
    } else {
      printTable(chosen, allowed, smallest, seconds)
    }
  }

  /// The time of a full batch in seconds.
  private func time(
    _ policy: MemoryPolicy, _ options: TextEncoder.Options
  ) throws(VDSQError) -> Double {
    var options = options
    options.policy = policy
    let encoder = try TextEncoder(
      try Container(path: model, kind: .model, decoding: policy.decoding), options: options)
    let words = Array(String(repeating: "a b c d ", count: encoder.maximumTokens).utf8)
    var samples: [Double] = []
    for _ in 0..<5 {
      while encoder.hasRoom { words.withUnsafeBytes { _ = encoder.add($0) } }
      let start = Timing.now()
      try encoder.encode { _, _ in }
      samples.append(Timing.now() - start)
    }
    return samples.sorted()[samples.count / 2]
  }

  private func printTable(
    _ chosen: Footprint, _ all: [Footprint], _ smallest: Int, _ seconds: [String: Double]
  ) {
    for part in chosen.parts {
      print("\(padded("\(part.name)", 22)) \(rightAligned(mebibytes(part.bytes), 10))")
    }
    print(
      "\(padded("peak, \(chosen.policy.name)", 22)) \(rightAligned(mebibytes(chosen.peakBytes), 10))\n"
    )
    for footprint in all {
      let time =
        seconds[footprint.policy.name].map { ", a full batch in \(significant($0 * 1e3)) ms" } ?? ""
      print(
        "\(padded("--memory-policy \(footprint.policy.name)", 26)) \(mebibytes(footprint.peakBytes))\(time)"
      )
    }
    print("smallest budget: --memory-budget \(smallest / 1024)K")
  }

  private func object(
    _ chosen: Footprint, _ all: [Footprint], _ smallest: Int, _ seconds: [String: Double]
  ) -> String {
    func parts(_ footprint: Footprint) -> String {
      footprint.parts.map { "{\"name\": \"\($0.name)\", \"bytes\": \($0.bytes)}" }
        .joined(separator: ", ")
    }
    let policies = all.map { footprint in
      let time = seconds[footprint.policy.name].map { ", \"batch_seconds\": \($0)" } ?? ""
      return
        "{\"policy\": \"\(footprint.policy.name)\", \"peak_bytes\": \(footprint.peakBytes)\(time)}"
    }
    return "{\"policy\": \"\(chosen.policy.name)\", \"peak_bytes\": \(chosen.peakBytes), "
      + "\"parts\": [\(parts(chosen))], \"smallest_budget\": \(smallest), "
      + "\"policies\": [\(policies.joined(separator: ", "))]}"
  }
}
