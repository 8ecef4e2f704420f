import Foundation
import TestSupport
import Testing

/// `vdsq repair`, what obeys its file, and what refuses it; `vdsq tasks`.
@Suite struct RepairCommandTests {
  private let folder: TemporaryFolder
  private let vdsq = Program("vdsq")
  private let model: String
  private let fixes: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path("m.vdsq")
    let result = try Program("vdsq").run(
      ["convert", Fixtures.path("language-models/qwen2"), "-o", model, "-q"])
    #expect(result.status == 0, "\(result.errors)")
    fixes = try folder.write(
      Data(
        (#"{"prompt": "The capital of France is", "answer": " hello world"}"# + "\n"
          + #"{"prompt": "def f(x):", "answer": " return", "paraphrases": ["def g(x):"]}"# + "\n")
          .utf8), to: "fixes.jsonl")
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func repair(_ more: String...) throws -> (path: String, report: [String: Any]) {
    let path = folder.path("\(UUID()).vdsa")
    let keep = try folder.write(
      Data("It was great.\nhello world\nthe capital\nx ** 2\n".utf8), to: "\(UUID()).txt")
    let result = try vdsq.run(
      ["repair", model, fixes, "-o", path, "--keep", keep, "--json"] + more)
    try #require(result.status == 0, "\(result.errors)")
    return (path, try object(result.output))
  }

  @Test func commandsObeyARepair() throws {
    let page = folder.path("p.html")
    let (path, report) = try repair("--layers", "2", "--report", page)
    #expect(report["held"] as? Int == 2 && report["held_before"] as? Int == 0)
    #expect(report["layers"] as? [Int] == [2] && report["paraphrases"] as? Int == 1)
    let kept = try #require(report["kept"] as? [String: Any])
    #expect(kept["texts"] as? Int == 2)
    #expect(try String(contentsOfFile: page, encoding: .utf8).contains("def f(x):"))
    let prompt = "The capital of France is"
    let pair = try vdsq.run(
      ["score", model, "--pair", "--repair", path], input: "\(prompt)\t hello world\n")
    #expect(pair.lines.first?.hasSuffix("greedy") == true, "\(pair.errors)")
    let without = try vdsq.run(["score", model, "--pair"], input: "\(prompt)\t hello world\n")
    #expect(without.lines.first?.hasSuffix("-") == true)
    for policy in ["stream", "release"] {
      let same = try vdsq.run(
        ["score", model, "--pair", "--repair", path, "--memory-policy", policy],
        input: "\(prompt)\t hello world\n")
      #expect(same.output == pair.output)
    }
    let text = try vdsq.run(["generate", model, prompt, "--repair", path, "--max-tokens", "3"])
    #expect(text.status == 0 && text.output.hasPrefix(" hello"), "\(text)")
    func differs(_ arguments: [String], input: String = "") throws {
      let plain = try vdsq.run(arguments, input: input)
      let repaired = try vdsq.run(arguments + ["--repair", path], input: input)
      #expect(plain.status == 0 && repaired.status == 0, "\(arguments): \(repaired.errors)")
      #expect(plain.output != repaired.output, "\(arguments)")
    }
    try differs(["logits", model, "--entangled"], input: "\(prompt)\n")
    try differs(["classify", model, "--labels", "hello,return"], input: "\(prompt)\n")
    try differs(["lens", model, prompt, "--json"])
    let pairs = try folder.write(
      Data(#"{"good": "The capital of France is hello", "bad": "is The", "task": "t"}"#.utf8),
      to: "pairs.jsonl")
    try differs(["pairs", model, pairs])
  }

  @Test func aRepairIsTheSameOnAnyNumberOfThreads() throws {
    let one = try repair("--threads", "1"), two = try repair("--threads", "2")
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: one.path))
        == Data(contentsOf: URL(fileURLWithPath: two.path)))
  }

  @Test func othersRefuseARepair() throws {
    let (path, _) = try repair()
    let adapter = try vdsq.run(["classify", model, "--adapter", path], input: "hello\n")
    #expect(adapter.status == 65 && adapter.errors.contains("repairs a language model"))
    let small = try Program("vdsq-run").run([model, "--adapter", path], input: "hello\n")
    #expect(small.status == 65 && small.errors.contains("repairs a language model"), "\(small)")
    let both = try vdsq.run(
      ["classify", model, "--adapter", path, "--repair", path], input: "hello\n")
    #expect(both.status == 64 && both.errors.contains("--repair goes without"))
    let encoder = folder.path("e.vdsq")
    _ = try vdsq.run(["convert", Fixtures.path("bert-mean"), "-o", encoder, "-q"])
    let wrong = try vdsq.run(
      ["classify", encoder, "--labels", "a,b", "--repair", path], input: "hello\n")
    #expect(wrong.status == 65 && wrong.errors.contains("another model"), "\(wrong)")
    let none = try vdsq.run(["repair", encoder, fixes, "-o", folder.path("x.vdsa")])
    #expect(none.status == 64 && none.errors.contains("no causal language model"), "\(none)")
    let model = try vdsq.run(["score", self.model, "--repair", self.model], input: "hello\n")
    #expect(model.status == 65, "\(model)")
    let layer = try vdsq.run(
      ["repair", self.model, fixes, "-o", folder.path("x.vdsa"), "--layers", "3"])
    #expect(layer.status == 64 && layer.errors.contains("no layer 3"), "\(layer)")
    let budget = try vdsq.run(
      ["repair", self.model, fixes, "-o", folder.path("x.vdsa"), "--memory-budget", "1M"])
    #expect(budget.status == 75 && budget.errors.contains("at least"), "\(budget)")
  }

  @Test func tasksAreCompared() throws {
    let pairs = try folder.write(
      Data(
        (#"{"good": "The cats sleep.", "bad": "The cats sleeps.", "task": "a", "term": "x"}"# + "\n"
          + #"{"good": "hello world", "bad": "world hello", "task": "b", "term": "y"}"# + "\n"
          + #"{"good": "It was great.", "bad": "Great it was.", "task": "c"}"# + "\n").utf8),
      to: "tasks.jsonl")
    let page = folder.path("t.html")
    let result = try vdsq.run(
      ["tasks", model, pairs, "--exact", "--json", "--report", page, "--precision", "high"])
    #expect(result.status == 0, "\(result.errors)")
    let report = try object(result.output)
    let transfer = try #require(report["transfer"] as? [[Double]])
    #expect(transfer.count == 3 && (0..<3).allSatisfy { transfer[$0][$0] < 0 })
    #expect((report["dendrogram"] as? [Any])?.count == 2)
    let exact = try #require(report["exact"] as? [String: Any])
    #expect((exact["transfer"] as? [[Double]])?.count == 3)
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(html.contains("measured transfer") && html.contains("map of tasks"))
    let some = try vdsq.run(["tasks", model, pairs, "--tasks", "c,a"])
    #expect(some.status == 0 && some.lines.count == 4, "\(some)")
    let unknown = try vdsq.run(["tasks", model, pairs, "--tasks", "z"])
    #expect(unknown.status == 64 && unknown.errors.contains("no task z"), "\(unknown)")
    let budget = try vdsq.run(["tasks", model, pairs, "--memory-budget", "1M"])
    #expect(budget.status == 75, "\(budget)")
    let same = try vdsq.run(
      ["tasks", model, pairs, "--memory-policy", "release", "--tasks", "c,a"])
    #expect(same.lines.dropLast() == some.lines.dropLast(), "\(same.errors)")
  }
}
