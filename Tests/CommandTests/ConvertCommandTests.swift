import Foundation
import TestSupport
import Testing

/// `convert` and related commands, as users call them.
@Suite struct ConvertCommandTests {
  private let folder: TemporaryFolder
  private let vdsq = Program("vdsq")

  init() throws { folder = try TemporaryFolder() }

  private func fixture(_ name: String) -> String { Fixtures.path(name) }

  @discardableResult
  private func run(_ arguments: [String], status: Int32 = 0) throws -> Program.Result {
    let result = try vdsq.run(arguments)
    #expect(result.status == status, "\(arguments): \(result.errors)")
    return result
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func theSummaryTellsWhatWasDone() throws {
    let model = folder.path("m.vdsq")
    let table = try run(["convert", fixture("bert-mean"), "-o", model, "--compress"])
    for word in ["least faithful tensors", "LZ4 saves", "peak RSS", "pooler.dense.weight"] {
      #expect(table.output.contains(word))
    }
    let result = try run(["convert", fixture("bert-mean"), "-o", model, "--force", "--json"])
    let summary = try object(result.output)
    let tensors = try #require(summary["tensors"] as? [[String: Any]])
    let cosines = tensors.compactMap { $0["cosine"] as? Double }
    #expect(cosines.count == tensors.count && cosines == cosines.sorted(), "worst first")
    let size = try FileManager.default.attributesOfItem(atPath: model)[.size] as? Int
    #expect(summary["bytes"] as? Int == size)
    #expect(try #require(summary["peak_bytes"] as? Int) > 1 << 20)
  }

  @Test func theReportIsAPage() throws {
    let page = folder.path("report.html")
    try run([
      "convert", fixture("bert-mean"), "-o", folder.path("m.vdsq"), "-q", "--report", page,
    ])
    let html = try String(contentsOfFile: page, encoding: .utf8)
    for word in ["<svg", "Error by layer", "feed_forward.down", "scales of", "embeddings"] {
      #expect(html.contains(word))
    }
    #expect(!html.contains("http"), "everything is in the page")
    #expect(
      html.components(separatedBy: "<svg").count == html.components(separatedBy: "</svg>").count)
    try run(
      ["convert", fixture("bert-mean"), "-o", folder.path("n.vdsq"), "-q", "--report", page],
      status: 64)
  }

  @Test func aHeadAlone() throws {
    let words = try folder.write(Data("a\nb\nc\nd\ne\nf\n".utf8), to: "vocab.txt")
    let bases = folder.path("b.vdsq")
    try run([
      "convert", "--head", fixture("formats/two.npz") + ":head", "--vocab", words, "-o", bases,
      "-q",
    ])
    let result = try run(["inspect", bases, "--json"])
    #expect(result.output.contains("\"vocabulary_size\": 6"))
    // The same as `vdsq bases` makes.
    let other = folder.path("c.vdsq")
    try run(["bases", "--head", fixture("formats/one.npz"), "--vocab", words, "-o", other, "-q"])
    try run(["diff", bases, other])
    try run(["convert", "--head", fixture("formats/two.npz"), "-o", bases, "--force"], status: 65)
    try run(["convert", fixture("bert-mean"), "--head", words, "-o", bases], status: 64)
  }

  @Test func verifyComparesWithTheCheckpoint() throws {
    for name in ["bert-mean", "language-models/gpt2"] {
      let model = folder.path("m.vdsq")
      try run(["convert", fixture(name), "-o", model, "-q", "--force"])
      let result = try run(["verify", model, "--against", fixture(name), "--json"])
      let report = try object(result.output)
      #expect(report["made_from_these_files"] as? Bool == true)
      #expect(report["same_tokens"] as? Bool == true)
      #expect(try #require(report["cosine_mean"] as? Double) > 0.99)
      #expect(try #require(report["cosine_min"] as? Double) < 1, "int8 costs something")
      #expect((report["same_likeliest_token"] is NSNull) == (name == "bert-mean"))
      guard name != "bert-mean" else {
        #expect(report["predictions"] is NSNull)
        continue
      }
      let predictions = try #require(report["predictions"] as? [String: Any])
      #expect(predictions["score"] as? String == "head logits")
      #expect(try #require(predictions["count"] as? Int) > 100)
      #expect(try #require(predictions["same_likeliest_token"] as? Double) > 0.9)
      #expect(try #require(predictions["kl_divergence"] as? Double) < 0.01)
      let perplexity = try #require(predictions["perplexity"] as? Double)
      let reference = try #require(predictions["reference_perplexity"] as? Double)
      #expect((perplexity / reference - 1).magnitude < 0.02)
    }
    let exact = folder.path("exact.vdsq")
    try run(["convert", fixture("bert-mean"), "-o", exact, "-q", "--weights", "fp32"])
    let same = try object(
      try run(["verify", exact, "--against", fixture("bert-mean"), "--json"]).output)
    #expect(try #require(same["cosine_min"] as? Double) > 0.999999)
    // Another checkpoint of the same shape is found out.
    let other = folder.path("int8.vdsq")
    try run(["convert", fixture("bert-mean"), "-o", other, "-q"])
    try run(["verify", other, "--against", fixture("bert-mean"), "--minimum", "1"], status: 65)
    let stranger = try object(
      try run(["verify", other, "--against", fixture("bert-cls-f16"), "--json"]).output)
    #expect(stranger["made_from_these_files"] as? Bool == false)
    #expect(try #require(stranger["cosine_mean"] as? Double) < 0.9)
    try run(["verify", other, "--against", fixture("language-models/gpt2")], status: 65)
    try run(["verify", other, "--against", folder.path("absent")], status: 66)
    let texts = try folder.write(Data(), to: "none.txt")
    try run(["verify", other, "--against", fixture("bert-mean"), "--texts", texts], status: 65)
    let leftovers = try FileManager.default.contentsOfDirectory(atPath: NSTemporaryDirectory())
    #expect(!leftovers.contains { $0.hasPrefix("vdsq-verify") })
  }

  @Test func diffSaysBySignalWhetherFilesDiffer() throws {
    for (name, options) in [("a", []), ("b", ["--compress"]), ("c", ["--keep", "layer.0=fp16"])] {
      try run(["convert", fixture("bert-mean"), "-o", folder.path(name), "-q"] + options)
    }
    let same = try run(["diff", folder.path("a"), folder.path("b")])
    #expect(same.output.contains("the same contents"))
    let other = try run(["diff", folder.path("a"), folder.path("c")], status: 1)
    #expect(
      other.output.contains("layer.0.attention.qkv.weight") && other.output.contains("i8 | f16"))
    let json = try object(
      try run(["diff", folder.path("a"), folder.path("c"), "--json"], status: 1).output)
    #expect(json["same"] as? Bool == false)
    try run(["diff", folder.path("a"), folder.path("absent")], status: 66)
  }

  @Test func tensorsAreExported() throws {
    let model = folder.path("m.vdsq")
    try run(["convert", fixture("bert-mean"), "-o", model, "-q"])
    try run(["inspect", model, "--tensor", "embeddings.norm.bias", "-o", folder.path("t.npy")])
    let bytes = try Data(contentsOf: folder.url.appendingPathComponent("t.npy"))
    #expect(bytes.count == 128 + 48 * 4)
    try run(["inspect", model, "--tensor", "absent", "-o", folder.path("u.npy")], status: 65)
    try run(["inspect", model, "--tensor", "embeddings.word"], status: 64)
  }

  @Test func budgetsHoldOrAreRefused() throws {
    let model = folder.path("m.vdsq")
    let result = try run([
      "convert", fixture("language-models/llama"), "-o", model, "--json", "--memory-budget", "48M",
    ])
    #expect(try #require(try object(result.output)["peak_bytes"] as? Int) <= 48 << 20)
    let refused = try run(
      ["convert", fixture("bert-mean"), "-o", model, "--force", "--memory-budget", "2M"], status: 75
    )
    #expect(refused.errors.contains("at least"))
  }

  // MARK: What happens to the file

  /// A file system that is smaller than the file.
  @Test func aFullDiskKeepsTheOldFile() throws {
    let script = """
      mount -t tmpfs -o size=192k tmpfs "$1" || exit 99
      echo precious > "$1/m.vdsq"
      "$2" convert "$3" -o "$1/m.vdsq" --force --weights fp32
      status=$?
      [ "$(cat "$1/m.vdsq")" = precious ] || exit 98
      [ "$(ls -A "$1" | wc -l)" = 1 ] || exit 97
      exit $status
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    process.arguments = [
      "--map-root-user", "--mount", "sh", "-c", script, "sh", folder.url.path,
      Fixtures.products.appendingPathComponent("vdsq").path, fixture("bert-mean"),
    ]
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let told = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 70, "\(told)")
    #expect(told.contains("No space left on device") && told.contains("as it was"))
  }

  /// A conversion that is killed at any moment leaves the old file or the complete new one, and
  /// nothing else.
  @Test func killedConversionsLeaveNothingHalf() throws {
    let model = folder.path("m.vdsq")
    try run(["convert", fixture("language-models/gpt2"), "-o", model, "-q", "--weights", "fp32"])
    let whole = try Data(contentsOf: URL(fileURLWithPath: model))
    var killed = 0
    for attempt in 0..<60 {
      try Data("precious".utf8).write(to: URL(fileURLWithPath: model))
      let process = Process()
      process.executableURL = Fixtures.products.appendingPathComponent("vdsq")
      process.arguments = [
        "convert", fixture("language-models/gpt2"), "-o", model, "-q", "--force", "--weights",
        "fp32",
      ]
      try process.run()
      usleep(UInt32(attempt * 700))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      killed += process.terminationReason == .uncaughtSignal ? 1 : 0
      let now = try Data(contentsOf: URL(fileURLWithPath: model))
      #expect(now == whole || now == Data("precious".utf8), "attempt \(attempt)")
      // Linked and not yet renamed is the one moment at which the whole file has another name too.
      for name in folder.contents where name != "m.vdsq" {
        #expect(try Data(contentsOf: folder.url.appendingPathComponent(name)) == whole)
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent(name))
      }
    }
    #expect(killed > 5, "only \(killed) of 60 were killed in time")
  }
}
