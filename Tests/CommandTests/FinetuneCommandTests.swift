import Foundation
import TestSupport
import Testing

/// `--method finetune`: adapters that change the encoder's own weights.
@Suite struct FinetuneCommandTests {
  private let folder: TemporaryFolder
  private let model: String
  private let examples: String
  private let vdsq = Program("vdsq")
  private let vdsqRun = Program("vdsq-run")

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path("m.vdsq")
    _ = try vdsq.run(["convert", Fixtures.path("bert-mean"), "-o", model, "-q"])
    let words = ["hello", "stop", "world", "go", "twelve", "now", "café", "yes"]
    // By the second word: a mean of word vectors hardly tells them apart.
    let lines = words.flatMap { word in
      words.prefix(3).enumerated().map { i, first in
        "{\"text\": \"\(first) \(word)\", \"label\": \"\(word < "n" ? "early" : "late")\"}"
      }
    }
    // Each four times, so that held-out examples are learned too.
    let all = (0..<4).flatMap { _ in lines }
    examples = try folder.write(Data((all.joined(separator: "\n") + "\n").utf8), to: "x.jsonl")
  }

  @Test func bothProgramsUseWhatWasLearned() throws {
    let adapter = folder.path("a.vdsa")
    let result = try vdsq.run(
      ["adapt", model, examples, "-o", adapter, "--method", "finetune", "--threads", "2"])
    #expect(result.status == 0, "\(result.errors)")
    let input = "hello stop\nstop world\nworld go\n\nhello twelve\n"
    for policy in ["resident", "stream"] {
      let options = [model, "--adapter", adapter, "--json", "--memory-policy", policy]
      let ours = try vdsq.run(["classify"] + options, input: input)
      let theirs = try vdsqRun.run(options, input: input)
      #expect(ours.status == 0 && theirs.status == 0, "\(ours.errors) \(theirs.errors)")
      #expect(ours.output == theirs.output && ours.lines.count == 5)
    }
    // The same again, byte by byte, on one thread.
    let again = folder.path("b.vdsa")
    _ = try vdsq.run(
      ["adapt", model, examples, "-o", again, "--method", "finetune", "--threads", "1", "-q"])
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: adapter))
        == Data(contentsOf: URL(fileURLWithPath: again)))
    let judged = try vdsq.run(["eval", model, "--test", examples, "--adapter", adapter, "--json"])
    let learned = try vdsq.run([
      "eval", model, "--test", examples, "--train", examples, "--shots", "48", "--seeds", "1",
      "--method", "finetune", "--json",
    ])
    for result in [judged, learned] {
      let object = try #require(
        JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
      let rows = try #require(object["rows"] as? [[String: Any]])
      #expect(rows[0]["accuracy_mean"] as? Double ?? 0 > 0.8, "\(result.output)")
    }
  }

  /// 198 texts of each of two labels that are told apart by the order of two words, which the mean
  /// of states forgets.
  private func manyExamples() throws -> String {
    let words = [
      "hello", "stop", "world", "go", "twelve", "now", "café", "yes", "no", "a", "the", "is",
    ]
    let lines = words.flatMap { first in
      words.flatMap { second in
        [first, second, "\(first) \(second)"].enumerated().map { i, _ in
          "{\"text\": \"\(first) \(second)\(i == 0 ? "" : i == 1 ? "!" : " 12")\", "
            + "\"label\": \"\(first < second ? "up" : "down")\"}"
        }
      }
    }
    return try folder.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: "many.jsonl")
  }

  /// From 128 examples of each label on; held-out ones may say no.
  @Test func theDefaultTriesItWhereExamplesAreMany() throws {
    let many = try manyExamples()
    var sizes: [String: Int] = [:]
    for method in ["joint", "frozen", "finetune"] {
      let adapter = folder.path("\(method).vdsa")
      let result = try vdsq.run(["adapt", model, many, "-o", adapter, "--method", method, "-q"])
      #expect(result.status == 0, "\(result.errors)")
      sizes[method] = try Data(contentsOf: URL(fileURLWithPath: adapter)).count
      let input = "hello stop\nstop hello\n"
      let options = [model, "--adapter", adapter, "--json"]
      let ours = try vdsq.run(["classify"] + options, input: input)
      #expect(ours.output == (try vdsqRun.run(options, input: input)).output && ours.status == 0)
    }
    #expect(sizes["joint"] == sizes["finetune"], "\(sizes)")
    #expect(sizes["frozen"] != sizes["finetune"])
  }

  @Test func theDefaultDoesWithoutItWhereMemoryIsShort() throws {
    let many = try manyExamples()
    func adapter(_ name: String, _ options: [String]) throws -> (Data, errors: String) {
      let path = folder.path(name)
      let result = try vdsq.run(["adapt", model, many, "-o", path] + options)
      #expect(result.status == 0, "\(result.errors)")
      return (try Data(contentsOf: URL(fileURLWithPath: path)), result.errors)
    }
    let frozen = try adapter("f.vdsa", ["--method", "frozen"])
    let tuned = try adapter("t.vdsa", ["--method", "finetune", "-q"])
    let streamed = try adapter("s.vdsa", ["--memory-policy", "stream"])
    #expect(streamed.0 == frozen.0 && !frozen.errors.contains("finetuning"))
    let refused = try vdsq.run(
      ["adapt", model, many, "-o", folder.path("x.vdsa"), "--method", "finetune"]
        + ["--memory-budget", "1M"])
    #expect(refused.status == 75)
    let enough = try #require(refused.errors.firstMatch(of: /needs ([0-9]+)K/)?.1)
    // What finetuning may take at least is enough, also by releasing layers.
    let released = try adapter("r.vdsa", ["--memory-budget", "\(enough)K"])
    #expect(released.0 == tuned.0 && !released.errors.contains("without finetuning"))
    let short = try adapter("b.vdsa", ["--memory-budget", "\(Int(enough)! - 1024)K"])
    #expect(short.0 == frozen.0)
    #expect(short.errors.contains("without finetuning"))
    // What the program takes is measured, and differs slightly from one run to the next.
    let named = try #require(short.errors.firstMatch(of: /([0-9]+)K/)?.1)
    #expect(abs(Int(named)! - Int(enough)!) < 512, "\(short.errors)")
  }

  @Test func whatCannotBeFinetuned() throws {
    let method = ["--method", "finetune"]
    try expectFailure(
      vdsq, ["review", model, examples] + method, status: 64, mentioning: "finetune")
    try expectFailure(
      vdsq,
      ["adapt", model, examples, "-o", folder.path("c.vdsa"), "--memory-budget", "9M"] + method,
      status: 75, mentioning: "budget")
    try expectFailure(
      vdsq,
      ["adapt", model, examples, "-o", folder.path("c.vdsa"), "--memory-policy", "stream"] + method,
      status: 64, mentioning: "stream")
    for name in ["language-models/bert", "language-models/llama", "distilbert-sqrt"] {
      let other = folder.path("other.vdsq")
      _ = try vdsq.run(["convert", Fixtures.path(name), "-o", other, "-q", "--force"])
      let template = name.hasSuffix("/bert") ? ["--template", "{text} is [MASK]."] : []
      try expectFailure(
        vdsq, ["adapt", other, examples, "-o", folder.path("d.vdsa")] + method + template,
        status: 65, mentioning: "finetuned")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path("c.vdsa")))
    #expect(!FileManager.default.fileExists(atPath: folder.path("d.vdsa")))
  }
}
