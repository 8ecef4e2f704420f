import Foundation
import TestSupport
import Testing

/// `learn`, and classifiers that follow it.
@Suite struct LearnCommandTests {
  private let folder: TemporaryFolder
  private let model: String
  private let adapter: String
  private let vdsq = Program("vdsq")

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path("m.vdsq")
    adapter = folder.path("a.vdsa")
    _ = try vdsq.run(["convert", Fixtures.path("bert-mean"), "-o", model, "-q"])
  }

  private func learn(_ options: [String], _ input: String = "") throws -> Program.Result {
    try vdsq.run(["learn", model, adapter] + options, input: input)
  }

  private func answer(_ text: String) throws -> String {
    try vdsq.run(["classify", model, "--adapter", adapter], input: text + "\n").lines[0]
  }

  @Test func examplesAreLearnedTakenBackAndForgotten() throws {
    #expect(try learn([], "{\"text\": \"x\", \"label\": \"a\"}\n").status == 66)
    let begun = try learn(
      ["--labels", "greeting=hello;order=stop"],
      "{\"text\": \"hello world\", \"label\": \"order\"}\n\n{\"text\": \"stop now\", \"label\": \"greeting\"}\n"
    )
    #expect(begun.status == 0, "\(begun.errors)")
    #expect(begun.lines.map { $0.split(separator: "\t")[0] } == ["1", "2"])
    #expect(begun.lines[0].hasPrefix("1\torder\tgreeting\t"))

    // Another line of the same label, with the labels named again as a script would.
    let more = try learn(
      ["--labels", "greeting=hello;order=stop", "--label", "order", "--json"], "hello café\n")
    #expect(more.output.contains("\"examples\": 3, \"label\": \"order\""), "\(more.errors)")
    #expect(try learn(["--undo"]).output == "forgot one of order; 2 examples left\n")
    #expect(
      try learn(["--undo", "--json"]).output == "{\"undone\": \"greeting\", \"examples\": 1}\n")
    #expect(try learn(["--undo"]).status == 0)
    let nothing = try learn(["--undo"])
    #expect(nothing.status == 64 && nothing.errors.contains("no example is left"))
    #expect(try answer("hello world").hasPrefix("greeting\t"))

    #expect(try learn(["--add-labels", "noise"], "").status == 0)
    #expect(try learn(["--label", "noise"], "zzz\nqqq\n").lines.count == 2)
    #expect(try learn(["--forget", "noise"]).output == "forgot noise; 0 examples left\n")
    let unknown = try learn(["--label", "noise"], "zzz\n")
    #expect(unknown.status == 65 && unknown.errors.contains("greeting, order"))
    for (options, status) in [
      (["--labels", "x,y"], 64), (["--forget", "none"], 65), (["--undo", "--forget", "order"], 64),
      (["--add-labels", "order"], 64), (["--labels", "greeting,order", "--undo"], 64),
    ] as [([String], Int32)] { #expect(try learn(options).status == status, "\(options)") }
    for input in ["{\"text\": 1}\n", "[]\n", "{\n"] { #expect(try learn([], input).status == 65) }
  }

  /// Answers of an adapter that moves do not depend on the size of batches, the file goes on where
  /// it ended, and forgets.
  @Test func streamsMoveAdapters() throws {
    let words = ["hello", "world", "stop", "now", "order", "café", "greeting", "noise"]
    let texts = (0..<1300).map { i in
      [1, 5, 23].map { words[(i / $0 + i * i / 7) % words.count] }.joined(separator: " ")
        + String(repeating: " x", count: i % 11)
    }
    let labels = ["--labels", "greeting=hello;order=stop;other=noise"]
    func classify(_ options: [String], _ texts: ArraySlice<String>) throws -> Program.Result {
      try vdsq.run(
        ["classify", model] + options, input: texts.joined(separator: "\n") + "\n")
    }
    let still = try classify(labels, texts[...])
    let moving = try classify(labels + ["--adapt-stream", adapter], texts[...])
    #expect(moving.status == 0 && moving.errors.isEmpty, "\(moving.errors)")
    // The first texts are classified as they would be without the file.
    #expect(moving.lines[..<500] == still.lines[..<500] && moving.lines != still.lines)
    let other = folder.path("b.vdsa")
    let small = try classify(
      labels + ["--adapt-stream", other, "--batch", "1", "--threads", "2"], texts[...])
    #expect(small.lines == moving.lines)
    let bytes = try Data(contentsOf: URL(filePath: adapter))
    #expect(try Data(contentsOf: URL(filePath: other)) == bytes)

    // In two parts, of which the first ends where the adapter moves.
    try FileManager.default.removeItem(atPath: other)
    let parts = [
      try classify(labels + ["--adapt-stream", other], texts[..<500]),
      try classify(["--adapt-stream", other], texts[500...]),
    ]
    #expect(parts.flatMap(\.lines) == moving.lines)
    #expect(try Data(contentsOf: URL(filePath: other)) == bytes)
    let runner = try Program("vdsq-run").run(
      [model, "--adapter", adapter], input: "hello world\n")
    #expect(runner.lines == [try answer("hello world")])

    let forgotten = try learn(["--forget-stream"])
    #expect(forgotten.output == "forgot texts without labels; 0 examples left\n")
    let after = try classify(["--adapter", adapter], texts[...])
    #expect(after.lines == still.lines)

    // Too few, and told.
    let few = try classify(labels + ["--adapt-stream", folder.path("c.vdsa")], texts[..<50])
    #expect(few.status == 0 && few.errors.contains("they help from 200 on"), "\(few.errors)")
    for (options, status) in [
      (["--adapt-stream", folder.path("none.vdsa")], 66),
      (["--labels", "x,y", "--adapt-stream", adapter], 64),
      (labels + ["--adapt-stream", adapter, "--adapter", adapter], 64),
      (labels + ["--adapt-stream", "-"], 64),
      (["--adapt-stream", model], 64),
    ] as [([String], Int32)] {
      #expect(try classify(options, texts[..<1]).status == status, "\(options)")
    }
    let csv = try folder.write(
      Data("text,label\nhello world,greeting\nstop now,order\n".utf8), to: "x.csv")
    let adapted = folder.path("d.vdsa")
    #expect(try vdsq.run(["adapt", model, csv, "-o", adapted, "-q"]).status == 0)
    let refused = try classify(["--adapt-stream", adapted], texts[..<1])
    #expect(refused.status == 64 && refused.errors.contains("vdsq learn began"))
  }

  /// An adapter of `adapt` learns on, from the files that `adapt` reads.
  @Test func adaptedAdaptersLearnOn() throws {
    let csv = try folder.write(
      Data("body,kind\nhello world,greeting\nstop now,order\nhello,greeting\nstop,order\n".utf8),
      to: "x.csv")
    let fields = ["--text-field", "body", "--label-field", "kind"]
    #expect(try vdsq.run(["adapt", model, csv, "-o", adapter, "-q"] + fields).status == 0)
    let before = try answer("hello world")
    let learnt = try learn(["--examples", csv] + fields)
    #expect(learnt.status == 0 && learnt.lines.count == 4, "\(learnt.errors)")
    #expect(learnt.lines[3].hasPrefix("4\torder\t"))
    #expect(try answer("hello world") != before)
    let small = try Program("vdsq-run").run(
      [model, "--adapter", adapter], input: "hello world\n")
    #expect(small.lines == [try answer("hello world")])
    for _ in 0..<4 { #expect(try learn(["--undo"]).status == 0) }
    #expect(try answer("hello world") == before && learn(["--undo"]).status == 64)
    // An unknown label fails alone; integers are indices of the labels.
    let mixed = try folder.write(
      Data("text\tlabel\nhello\tother\nstop\t1\n".utf8), to: "y.tsv")
    let some = try learn(["--examples", mixed])
    #expect(some.status == 0 && some.lines.count == 1 && some.errors.contains("line 2"))
    #expect(some.lines[0].hasPrefix("1\torder\t"))
    for wrong in [["--label", "order"], ["--undo"], ["--forget", "order"]] {
      #expect(try learn(["--examples", mixed] + wrong).status == 64)
    }
    #expect(try learn(["--examples", folder.path("absent")]).status == 66)
  }

  /// An adapter starts with labels, at least two; what would start one is not ignored.
  @Test func beginnings() throws {
    for (options, status, what) in [
      ([], 66, "--labels or --labels-file starts it"), (["--label", "a"], 66, "does not exist"),
      (["--labels", "a"], 64, "name two or more"),
      (["--labels", "a", "--out-of-scope", "a"], 64, "name two or more"),
      (["--template", "{}"], 64, "--template start"),
      (["--out-of-scope", "a"], 64, "give --labels"),
    ] as [([String], Int32, String)] {
      let result = try learn(options)
      #expect(result.status == status && result.errors.contains(what), "\(result.errors)")
      #expect(!folder.contents.contains("a.vdsa"))
    }
    #expect(try learn(["--labels", "a", "--out-of-scope", "b"]).status == 0)
    let unknown = try learn(["--forget", "c"])
    #expect(unknown.status == 65 && !unknown.errors.contains("--add-labels"), "\(unknown.errors)")
  }

  /// A label of texts that belong to no other is learned from its examples, so there must be some.
  @Test func outOfScopeNeedsExamples() throws {
    let examples = try folder.write(
      Data(
        "{\"text\": \"hello\", \"label\": \"a\"}\n{\"text\": \"stop\", \"label\": \"b\"}\n{\"text\": \"café\", \"label\": \"o\"}\n"
          .utf8), to: "x.jsonl")
    for arguments in [
      ["adapt", model, examples, "-o", adapter], ["classify", model, "--examples", examples],
      ["eval", model, "--test", examples, "--train", examples, "--shots", "1"],
      ["review", model, examples],
      ["adapt", model, examples, "-o", adapter, "--labels", "a,b,o,none"],
    ] {
      let result = try vdsq.run(arguments + ["--out-of-scope", "none", "-q"], input: "hello\n")
      #expect(result.status == 64, "\(arguments): \(result.errors)")
      #expect(result.errors == "vdsq: --out-of-scope: none: no example has this label\n")
    }
    let adapted = ["adapt", model, examples, "-o", adapter, "--out-of-scope", "o", "-q"]
    #expect(try vdsq.run(adapted).status == 0)
    // With --abstain the name replaces withheld labels, and need not be a label.
    let withheld = try vdsq.run(
      [
        "classify", model, "--examples", examples, "--out-of-scope", "none", "--abstain", "1", "-q",
      ],
      input: "hello\n")
    #expect(withheld.output.hasPrefix("none\t"), "\(withheld.errors)")
  }

  @Test func anAdapterWithoutLinearWeightsIsRefused() throws {
    let examples = try folder.write(
      Data(
        "{\"text\": \"hello\", \"label\": \"a\"}\n{\"text\": \"stop\", \"label\": \"b\"}\n".utf8),
      to: "x.jsonl")
    let adapt = ["adapt", model, examples, "-o", adapter, "-q", "--method", "knn"]
    #expect(try vdsq.run(adapt).status == 0)
    let before = try Data(contentsOf: URL(filePath: adapter))
    let result = try learn(["--label", "a"], "hello\n")
    #expect(result.status == 64 && result.errors.contains("learn continues"))
    #expect(try Data(contentsOf: URL(filePath: adapter)) == before)
  }

  /// A running classifier uses the correction from the next text on.
  @Test(arguments: ["vdsq", "vdsq-run"])
  func correctionsTakeEffectOnTheNextText(_ program: String) throws {
    #expect(try learn(["--labels", "greeting=hello;order=stop"]).status == 0)
    let process = Process()
    process.executableURL = Fixtures.products.appendingPathComponent(program)
    process.arguments =
      (program == "vdsq" ? ["classify"] : []) + [model, "--adapter", adapter]
    let (input, output) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    defer { process.terminate() }
    func ask(_ text: String) throws -> String {
      try input.fileHandleForWriting.write(contentsOf: Data((text + "\n").utf8))
      return String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    }
    #expect(try ask("hello world").hasPrefix("greeting\t"))
    for _ in 0..<3 { _ = try learn(["--label", "order"], "hello world\n") }
    #expect(try ask("hello world").hasPrefix("order\t"))
    _ = try learn(["--add-labels", "noise"])
    _ = try learn(["--label", "noise"], "hello world\nhello world\nhello world\nhello world\n")
    #expect(try ask("hello world").hasPrefix("noise\t"))
    // A file that is gone changes nothing.
    try FileManager.default.removeItem(atPath: adapter)
    #expect(try ask("hello world").hasPrefix("noise\t"))
    try input.fileHandleForWriting.close()
  }

  /// After a kill at any point, the file is complete and has every example whose line was written.
  @Test func kills() throws {
    #expect(try learn(["--labels", "greeting=hello;order=stop"]).status == 0)
    for delay in [0.02, 0.05, 0.11] {
      let before = try learn(["--label", "order", "--json"], "stop\n").output
      let process = Process()
      process.executableURL = Fixtures.products.appendingPathComponent("vdsq")
      process.arguments = ["learn", model, adapter, "--label", "order"]
      let (input, output) = (Pipe(), Pipe())
      (process.standardInput, process.standardOutput) = (input, output)
      try process.run()
      let lines = String(repeating: "stop the world\n", count: 1000)
      try input.fileHandleForWriting.write(contentsOf: Data(lines.utf8))
      Thread.sleep(forTimeInterval: delay)
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      try input.fileHandleForWriting.close()
      let written = output.fileHandleForReading.readDataToEndOfFile().count { $0 == 10 }
      let after = try learn(["--label", "order", "--json"], "stop\n")
      #expect(after.status == 0, "\(after.errors)")
      func count(_ line: String) throws -> Int {
        try #require(
          (JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["examples"]
            as? Int)
      }
      let kept = try count(after.output) - count(before) - 1
      #expect(kept == written || kept == written + 1, "\(kept) \(written)")
    }
  }

  /// Two processes at once lose no example of each other.
  @Test func twoAtOnce() async throws {
    #expect(try learn(["--labels", "greeting=hello;order=stop"]).status == 0)
    try await withThrowingTaskGroup(of: Int32.self) { group in
      for label in ["greeting", "order"] {
        let arguments = ["learn", model, adapter, "--label", label]
        group.addTask { [vdsq] in
          let input = String(repeating: "hello world\n", count: 20)
          return try vdsq.run(arguments, input: input).status
        }
      }
      for try await status in group { #expect(status == 0) }
    }
    #expect(try learn(["--label", "order"], "stop\n").output.hasPrefix("41\t"))
  }
}
