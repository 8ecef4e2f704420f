import Foundation
import TestSupport
import Testing

/// `plan`, budgets and policies.
@Suite struct MemoryCommandTests {
  private let folder: TemporaryFolder
  private let model: String
  private let vdsq = Program("vdsq")

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path("m.vdsq")
    _ = try vdsq.run(["convert", Fixtures.path("bert-mean"), "-o", model, "-q"])
  }

  private func plan(_ options: [String]) throws -> [String: Any] {
    let result = try vdsq.run(["plan", model, "--json"] + options)
    #expect(result.status == 0, "\(result.errors)")
    return try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  private func number(_ plan: [String: Any], _ key: String) throws -> Int {
    try #require(plan[key] as? Int)
  }

  /// Where the budget has no room for the states of examples, a cache has, and the adapter is the
  /// same. Without one, the refusal says so.
  @Test func statesStayInTheCache() throws {
    let examples = folder.path("e.jsonl")
    let lines = (0..<20_000).map {
      #"{"text": "hello number \#($0)", "label": "\#($0 % 3 == 0 ? "hello" : "stop")"}"#
    }
    try lines.joined(separator: "\n").write(toFile: examples, atomically: true, encoding: .utf8)
    func adapt(_ name: String, _ options: [String]) throws -> Program.Result {
      try vdsq.run(
        ["adapt", model, examples, "-o", folder.path(name), "--method", "prior", "-q"] + options)
    }
    let refused = try adapt("x.vdsa", ["--memory-budget", "1M"])
    #expect(refused.status == 75 && refused.errors.contains("cache"))
    let needed = try #require(refused.errors.firstMatch(of: /needs ([0-9]+)K/)?.1)
    let short = ["--memory-budget", "\(Int(needed)! - 1024)K"]
    #expect(try adapt("x.vdsa", short).status == 75)
    #expect(try adapt("a.vdsa", []).status == 0)
    for name in ["b.vdsa", "c.vdsa"] {
      let cached = try adapt(name, short + ["--cache", folder.path("cache")])
      #expect(cached.status == 0, "\(cached.errors)")
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: folder.path(name)))
          == Data(contentsOf: URL(fileURLWithPath: folder.path("a.vdsa"))))
    }
  }

  @Test func plansAddUp() throws {
    let small = try plan(["--max-tokens", "16", "--threads", "1"])
    let parts = try #require(small["parts"] as? [[String: Any]])
    let sum = parts.reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) }
    #expect(try sum == number(small, "peak_bytes") && small["policy"] as? String == "resident")
    let policies = try #require(small["policies"] as? [[String: Any]])
    #expect(policies.compactMap { $0["policy"] as? String } == ["resident", "stream", "release"])
    #expect(try number(small, "smallest_budget") < number(small, "peak_bytes") + 257 << 10)
    let larger = try plan(["--max-tokens", "32", "--threads", "2", "--batch", "64", "--speed"])
    // What the program takes is measured, and differs from one run to the next; the arena is
    // arithmetic.
    func arena(_ plan: [String: Any]) throws -> Int {
      let parts = try #require(plan["parts"] as? [[String: Any]])
      return try #require(parts.first { $0["name"] as? String == "arena" }?["bytes"] as? Int)
    }
    #expect(try arena(larger) > arena(small))
    let timed = try #require(larger["policies"] as? [[String: Any]])
    #expect(timed.allSatisfy { ($0["batch_seconds"] as? Double ?? 0) > 0 })
    #expect(try vdsq.run(["plan", model]).output.contains("smallest budget: --memory-budget "))
    #expect(
      try vdsq.run(["plan", model, "--memory-policy", "stream"]).output.contains("peak, stream"))
  }

  /// A sufficient budget works, and an insufficient one is refused with the smallest sufficient
  /// budget.
  @Test func budgetsAreKept() throws {
    let settings = ["--max-tokens", "16", "--threads", "1"]
    for (command, rest) in [
      ("classify", ["--labels", "hello,stop", "--template", "{}"]), ("embed", []), ("logits", []),
    ] as [(String, [String])] {
      let free = try vdsq.run([command, model] + rest + settings, input: "hello world\n")
      let refused = try vdsq.run(
        [command, model, "--memory-budget", "1M"] + rest + settings, input: "hello world\n")
      #expect(refused.status == 75 && refused.output.isEmpty, "\(refused.errors)")
      let words = refused.errors.split(separator: " ")
      let smallest = try #require(words.first { $0.hasSuffix("K") && Int($0.dropLast()) != nil })
      // What the program takes differs from one run to the next, most when it was just built.
      let budget = "\(try #require(Int(smallest.dropLast())) * 2)K"
      let kept = try vdsq.run(
        [command, model, "--memory-budget", budget] + rest + settings, input: "hello world\n")
      #expect(kept.status == 0 && kept.output == free.output, "\(kept.errors)")
    }
    #expect(try vdsq.run(["plan", model, "--memory-budget", "1M"]).status == 75)
    for (budget, status) in [("1M", 75), ("1G", 0), ("x", 64), ("0", 64)] as [(String, Int32)] {
      let result = try Program("vdsq-run").run(
        [model, "--labels", "hello,stop", "--memory-budget", budget], input: "hello world\n")
      #expect(result.status == status, "\(budget): \(result.errors)")
    }
    #expect(try vdsq.run(["plan", model, "--memory-budget", "many"]).status == 64)
    #expect(try vdsq.run(["classify", model, "--labels", "a,b", "--batch", "0"]).status == 64)
  }

  /// A language model that reads texts of up to 2,048 tokens.
  private func longModel() throws -> String {
    let copy = try folder.copy(ofFixture: "language-models/llama", as: "long")
    let config = try String(contentsOfFile: "\(copy)/config.json", encoding: .utf8)
    let longer = config.replacing(
      "\"max_position_embeddings\": 128", with: "\"max_position_embeddings\": 8192")
    #expect(config != longer)
    _ = try folder.write(Data(longer.utf8), to: "long/config.json")
    let path = folder.path("long.vdsq")
    let result = try vdsq.run(["convert", copy, "-o", path, "-q"])
    #expect(result.status == 0, "\(result.errors)")
    return path
  }

  /// Where a budget has room for shorter texts only, texts are cut there, and the answers are those
  /// of texts that are cut to as many tokens.
  @Test(arguments: ["classify", "vdsq-run", "embed", "logits"])
  func smallBudgetsCutTexts(_ command: String) throws {
    let model = try longModel()
    let isRun = command == "vdsq-run"
    let program = Program(isRun ? "vdsq-run" : "vdsq")
    let labels = isRun || command == "classify" ? ["--labels", "good=is;bad=world"] : []
    let arguments =
      (isRun ? [] : [command]) + [model, "--threads", "2"]
      + labels
    let planned =
      ["plan", model, "--json", "--threads", "2"] + (isRun ? ["--for", "vdsq-run"] : [])
    func plan(_ options: [String]) throws -> [String: Any] {
      let result = try vdsq.run(planned + options + labels)
      #expect(result.status == 0, "\(result.errors)")
      return try #require(
        JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    }
    let whole = try plan([])
    #expect(try number(whole, "maximum_tokens") == 2048)
    // `logits` counts the rows of the vocabulary beside this.
    let enough = try number(plan(["--max-tokens", "1024"]), "smallest_budget")
    #expect(try enough < number(whole, "smallest_budget") - 300 << 10)
    let budget = ["--memory-budget", "\(enough)"]
    let text = String(repeating: "hello world ", count: 3000) + "\n"
    let cut = try program.run(arguments + budget, input: text)
    #expect(cut.status == 0, "\(cut.errors)")
    let words = cut.errors.split { $0 == " " || $0 == "\n" }
    let tokens = try #require(words.lazy.compactMap { Int($0) }.first)
    #expect(tokens >= 512 && tokens < 2048 && tokens % 32 == 0, "\(cut.errors)")
    #expect(cut.errors.contains("budget has room for texts of \(tokens) tokens"))
    #expect(cut.errors.contains("1 of 1 text cut to \(tokens) tokens"))
    let shorter = try program.run(arguments + ["--max-tokens", "\(tokens)"], input: text)
    #expect(shorter.output == cut.output && !shorter.errors.contains("budget"))
    // Who names a number of tokens means it.
    let refused = try program.run(arguments + budget + ["--max-tokens", "2048"], input: text)
    #expect(refused.status == 75 && refused.output.isEmpty)
    let quiet = try program.run(arguments + budget + ["-q"], input: text)
    #expect(quiet.errors.isEmpty && quiet.status == 0)
    let tiny = try program.run(arguments + ["--memory-budget", "1M"], input: text)
    #expect(tiny.status == 75 && tiny.errors.contains("for texts of 32 tokens"), "\(tiny.errors)")
    let told = try plan(budget)
    #expect(try number(told, "maximum_tokens") >= 512 && number(told, "maximum_tokens") < 2048)
    #expect(try number(told, "peak_bytes") <= enough)
  }

  /// Labels, their words and answers with many of them are counted: the peak stays within a budget
  /// that is sufficient by the plan.
  @Test(arguments: ["vdsq", "vdsq-run"])
  func labelsAreCounted(_ program: String) throws {
    let count = 6000
    let many = try folder.write(
      Data((0..<count).map { "n\($0)=a\($0),b\($0)\n" }.joined().utf8), to: "many")
    let few = try folder.write(Data("a\nb\n".utf8), to: "few")
    func run(_ labels: String, _ budget: String) throws -> Program.Result {
      try Program(program).run(
        (program == "vdsq" ? ["classify"] : []) + [
          model, "--labels-file", labels, "--template", "{}", "--threads", "1", "--json", "--stats",
          "--top", "\(count)", "--memory-budget", budget,
        ], input: String(repeating: "hello world\n", count: 20))
    }
    func smallest(_ labels: String) throws -> Int {
      let refused = try run(labels, "1M")
      #expect(refused.status == 75 && refused.output.isEmpty, "\(refused.errors)")
      let words = refused.errors.split(separator: " ")
      return try #require(words.compactMap { $0.hasSuffix("K") ? Int($0.dropLast()) : nil }.first)
    }
    let needed = try smallest(many)
    #expect(try needed - smallest(few) > 2 * count * 48 * 4 / 1024)
    // What the program takes differs from one run to the next.
    let budget = needed + 512
    let kept = try run(many, "\(budget)K")
    #expect(kept.status == 0 && kept.lines.count == 20, "\(kept.errors)")
    let peak = try #require(kept.errors.firstMatch(of: /peak RSS ([0-9.]+) MiB/))
    #expect(try #require(Double(peak.1)) * 1024 <= Double(budget), "\(kept.errors), \(budget)K")
    // The same by `plan`, which can be asked for either program.
    func planned(_ options: [String]) throws -> Int {
      try number(
        plan(["--threads", "1"] + (program == "vdsq" ? [] : ["--for", program]) + options),
        "peak_bytes")
    }
    let more = try planned(["--labels-file", many, "--top", "\(count)"]) - planned([])
    #expect(more > 2 * count * 48 * 4)
  }

  @Test(arguments: ["vdsq", "vdsq-run"])
  func policiesAnswerAlike(_ program: String) throws {
    var answers: Set<String> = []
    for policy in ["resident", "release", "stream"] {
      let arguments =
        (program == "vdsq" ? ["classify"] : []) + [
          model, "--labels", "hello,stop", "--json", "--memory-policy", policy,
        ]
      let result = try Program(program).run(arguments, input: "hello world\nstop\na café\n")
      #expect(result.status == 0 && result.lines.count == 3, "\(result.errors)")
      answers.insert(result.output)
    }
    #expect(answers.count == 1)
    let unknown = try Program(program).run(
      (program == "vdsq" ? ["classify"] : []) + [
        model, "--labels", "a,b", "--memory-policy", "swap",
      ])
    #expect(unknown.status == 64)
  }

  /// Commands that read the contents of a file release it behind them, so the budget may be far
  /// smaller than the file.
  @Test func readingFilesKeepsToABudget() throws {
    let other = folder.path("fp16.vdsq")
    _ = try vdsq.run(
      ["convert", Fixtures.path("bert-mean"), "-o", other, "-q", "--weights", "fp16"])
    let tensor = ["--tensor", "embeddings.word", "-o", folder.path("t.npy"), "--force"]
    for (arguments, status) in [
      (["inspect", model, "--verify"], 0), (["inspect", model] + tensor, 0),
      (["diff", model, other], 1), (["diff", model, model], 0),
    ] as [([String], Int32)] {
      let refused = try vdsq.run(arguments + ["--memory-budget", "1M"])
      #expect(refused.status == 75 && refused.errors.contains("needs"), "\(refused.errors)")
      #expect(refused.output.isEmpty)
      let result = try vdsq.run(arguments + ["--memory-budget", "128M"])
      #expect(result.status == status, "\(result.errors)")
    }
  }

  /// A report reads compressed sections after the file is complete.
  @Test func reportsKeepToTheBudget() throws {
    let convert = [
      "convert", Fixtures.path("bert-mean"), "-o", model, "-q", "--force", "--report",
      folder.path("r.html"),
    ]
    let whole = try vdsq.run(convert + ["--compress", "--memory-budget", "256M"])
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(try vdsq.run(convert + ["--memory-budget", "64M"]).status == 0)
  }

  @Test func everyCommandTakesABudget() throws {
    let help = try vdsq.run(["--help"]).output
    let commands = help.split(separator: "SUBCOMMANDS:")[1].split(separator: "\n")
      .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") && !$0.contains("See ") }.map {
        $0.split(separator: " ")[0]
      }
    #expect(commands.count >= 20, "\(commands)")
    // The options of serve are those of another program.
    for command in commands where command != "serve" {
      #expect(
        try vdsq.run([String(command), "--help"]).output.contains("--memory-budget"), "\(command)")
    }
  }
}
