import Foundation
import TestSupport
import Testing

/// `bench`: kernels, the forward pass, and a model as its users have it.
@Suite struct BenchCommandTests {
  private let folder: TemporaryFolder
  private let model: String
  private let vdsq = Program("vdsq")

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path("m.vdsq")
    _ = try vdsq.run(["convert", Fixtures.path("bert-mean"), "-o", model, "-q"])
  }

  @Test func benchmarksAreRows() throws {
    let arguments = ["bench", "--kernels", "--kernel", "rotary", "--kernel", "attention"]
    let result = try vdsq.run(
      arguments + ["--threads", "1", "--threads", "2", "--seconds", "0", "--json"])
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
    #expect(rows.count == 10)
    for key in [
      "kernel", "isa", "rows", "cols", "batch", "threads", "ms", "gb_per_s", "gmac_per_s",
      "share_of_limit",
    ] { #expect(rows.allSatisfy { $0[key] != nil }, "\(key)") }
    #expect(rows.allSatisfy { ($0["ms"] as? Double ?? 0) > 0 })
    let forward = try vdsq.run(["bench", model, "--tokens", "5", "--seconds", "0", "--json"])
    let passes = try #require(
      try JSONSerialization.jsonObject(with: Data(forward.output.utf8)) as? [[String: Any]])
    #expect(passes.count == 1 && passes[0]["tokens"] as? Int == 5)
  }

  private func object(_ arguments: [String]) throws -> [String: Any] {
    let result = try vdsq.run(["bench"] + arguments + ["--seconds", "0.05", "--json"])
    #expect(result.status == 0, "\(result.errors)")
    return try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  /// Figures are consistent: percentiles rise, resident memory is at most the peak, and streaming
  /// reads by system calls.
  @Test(arguments: ["bert-mean", "language-models/gpt2"])
  func modelsAreMeasuredAsUsersHaveThem(name: String) throws {
    let path = folder.path("model.vdsq")
    _ = try vdsq.run(["convert", Fixtures.path(name), "-o", path, "-q"])
    for policy in ["resident", "stream", "release"] {
      let report = try object([path, "--memory-policy", policy, "--max-tokens", "16"])
      #expect(report["policy"] as? String == policy && report["max_tokens"] as? Int == 16)
      let latency = try #require(report["latency_ms"] as? [String: Double])
      let order = ["p50", "p90", "p99", "p99_9", "max"].map { latency[$0] ?? -1 }
      #expect(order == order.sorted() && order[0] > 0 && latency["count"]! >= 1)
      let memory = try #require(report["memory_bytes"] as? [String: Int])
      #expect(memory["anonymous"]! + memory["file"]! <= memory["peak"]! && memory["file"]! > 0)
      let steady = try #require(report["steady"] as? [String: Any])
      let texts = try #require(report["steady_texts"] as? Int)
      let read = try #require(steady["call_bytes"] as? Int)
      #expect(policy == "resident" || read >= 0)
      if policy == "stream" { #expect(read > 1000 * texts) }
      let start = try #require(report["start_ms"] as? [String: Any])
      #expect(try #require(start["warm"] as? Double) > 0 && start["cold"] != nil)
      let throughput = try #require(report["throughput"] as? [String: Double])
      #expect(throughput["tokens_per_s"]! >= throughput["texts_per_s"]!)
    }
  }

  /// Both commands that read a file of texts tell what was cut and replaced, and skip blank lines.
  @Test func changedTextsAreTold() throws {
    let long = String(repeating: "hello ", count: 100)
    let texts = folder.path("texts")
    try (Data("\(long)\n\n \nhello\n".utf8) + [0xFF, 10]).write(to: URL(filePath: texts))
    let told =
      "vdsq: \(texts): 1 of 3 texts cut to 40 tokens\n"
      + "vdsq: \(texts): 1 of 3 texts with invalid UTF-8, which was replaced\n"
    let bench = try vdsq.run(["bench", model, "--texts", texts, "--seconds", "0"])
    #expect(bench.status == 0 && bench.errors == told, "\(bench.errors)")
    let verify = ["verify", model, "--against", Fixtures.path("bert-mean"), "--texts", texts]
    #expect(try vdsq.run(verify).errors == told)
    #expect(try vdsq.run(verify + ["-q"]).errors.isEmpty)
    let short = try vdsq.run(["bench", model, "--seconds", "0", "--max-tokens", "30"])
    #expect(short.errors.hasPrefix("vdsq: ") && short.errors.hasSuffix(" cut to 30 tokens\n"))
  }

  @Test func runsAreCompared() throws {
    let old = folder.path("old.json")
    let first = try vdsq.run(["bench", model, "--seconds", "0.05", "--json"])
    try Data(first.output.utf8).write(to: URL(filePath: old))
    let report = try object([model, "--compare", old])
    let compared = try #require(report["compared"] as? [[String: Any]])
    let names = compared.compactMap { $0["figure"] as? String }
    for name in [
      "latency_ms.p50", "throughput.texts_per_s", "memory_bytes.peak", "a text: minor_faults",
    ] {
      #expect(names.contains(name), "\(names)")
    }
    let before = try #require(
      JSONSerialization.jsonObject(with: Data(first.output.utf8)) as? [String: Any])
    let peak = try #require((before["memory_bytes"] as? [String: Any])?["peak"] as? Int)
    let row = try #require(compared.first { $0["figure"] as? String == "memory_bytes.peak" })
    #expect(row["old"] as? Double == Double(peak))
    let table = try vdsq.run(
      ["bench", model, "--seconds", "0.05", "--memory-policy", "stream", "--compare", old])
    #expect(table.output.contains("not the same policy: resident before, stream now"))
    // Rows are known by what they measure.
    let rows = ["bench", "--kernels", "--kernel", "rotary", "--seconds", "0"]
    try Data(vdsq.run(rows + ["--json"]).output.utf8).write(to: URL(filePath: old))
    #expect(try vdsq.run(rows + ["--compare", old]).output.contains("rotary, rows 128"))
    try expectFailure(
      vdsq, ["bench", model, "--seconds", "0", "--compare", old], status: 65, mentioning: "figures")
    try expectFailure(vdsq, ["bench", model, "--compare", model], status: 65, mentioning: "JSON")
    try expectFailure(
      vdsq, ["bench", model, "--compare", folder.path("none")], status: 66, mentioning: "none")
  }

  @Test func whatCannotBeMeasured() throws {
    try Data("\n\n".utf8).write(to: URL(filePath: folder.path("empty.txt")))
    try expectFailure(
      vdsq, ["bench", model, "--texts", folder.path("empty.txt")], status: 65,
      mentioning: "no texts")
    try expectFailure(
      vdsq, ["bench", model, "--memory-budget", "1M"], status: 75, mentioning: "needs")
    try expectFailure(
      vdsq, ["bench", model, "--threads", "1", "--threads", "2"], status: 64,
      mentioning: "--threads")
    try expectFailure(
      vdsq, ["bench", Fixtures.path("bert-mean/config.json")], status: 65, mentioning: ".vdsq")
    try expectFailure(vdsq, ["bench"], status: 64, mentioning: "--kernels")
    try expectFailure(
      vdsq, ["bench", "--kernels", "--kernel", "fft"], status: 64, mentioning: "cosine-topk")
    try expectFailure(
      vdsq, ["bench", "--kernels", "--kernel", "rotary", "--shape", "1x1"], status: 64,
      mentioning: "1x1")
    try expectFailure(vdsq, ["bench", model, "--tokens", "999"], status: 64, mentioning: "tokens")
  }
}
