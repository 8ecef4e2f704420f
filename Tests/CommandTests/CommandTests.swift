import Foundation
import TestSupport
import Testing

/// The programs as users call them: results on standard output, one line on standard error for
/// every failure, and the documented exit codes.
@Suite struct CommandTests {
  private let folder: TemporaryFolder
  private let model: String
  private let vdsq = Program("vdsq")
  private let vdsqRun = Program("vdsq-run")

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path("m.vdsq")
    let result = try vdsq.run(["convert", Fixtures.path("bert-mean"), "-o", model])
    #expect(result.status == 0)
    #expect(result.output.contains("% of the checkpoint's"))
    #expect(result.errors.isEmpty, "no progress where standard error is no terminal")
  }

  @Test func bothProgramsGiveTheSameAnswers() throws {
    let input = "hello world\n\nnaïve café\n\u{4e2d}\u{6587}\n"
    for options in [
      ["--top", "2"], ["--top", "3", "--json"], ["--template", "about {}"],
      ["--template", "say {text} now"], ["--max-tokens", "9", "--template", "{}", "--json"],
      ["--temperature", "0.07", "--json"],
      ["--temperature", "2"],
    ] {
      let arguments = [model, "--labels", "world,café,stop"] + options
      let ours = try vdsq.run(["classify"] + arguments, input: input)
      let theirs = try vdsqRun.run(arguments, input: input)
      #expect(ours.status == 0 && theirs.status == 0)
      #expect(ours.output == theirs.output)
      #expect(ours.lines.count == 4)
    }
  }

  @Test func answersAreLabelsAndProbabilities() throws {
    let result = try vdsq.run(
      ["classify", model, "--labels", "hello world,stop believing", "--top", "2"],
      input: "hello world\n")
    let fields = result.lines[0].split(separator: "\t")
    #expect(fields.count == 4 && fields[0] == "hello world")
    #expect((Double(fields[1])! + Double(fields[3])! - 1).magnitude < 0.001)
    let json = try vdsq.run(
      [
        "classify", model, "--labels", "hello world,stop believing", "--json", "--top", "2",
        "--template", "{}",
      ], input: "hello world\n")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect(object["label"] as? String == "hello world")
    #expect((object["top"] as? [[String: Any]])?.count == 2)
    let best = try #require((object["top"] as? [[String: Any]])?[0]["cosine"] as? Double)
    #expect(best > 0.9999, "a text's cosine to itself")
    #expect(object["truncated"] as? Bool == false)
  }

  @Test func labelFilesAndJSONLines() throws {
    let lines = try folder.write(Data("greeting=hello,hi\nother=stop\n".utf8), to: "labels.txt")
    let object = try folder.write(
      Data(#"{"greeting": ["hello", "hi"], "other": "stop"}"#.utf8), to: "labels.json")
    let input = "{\"id\": 1, \"body\": \"hello\"}\n{\"body\": \"stop\"}\n"
    let a = try vdsq.run(
      ["classify", model, "--labels-file", lines, "--field", "body"], input: input)
    let b = try vdsq.run(
      ["classify", model, "--labels-file", object, "--field", "body"], input: input)
    #expect(a.status == 0 && a.output == b.output && a.lines.count == 2)
    #expect(a.lines[1].hasPrefix("other\t"))
    let c = try vdsqRun.run([model, "--labels-file", lines], input: "hello\nstop\n")
    #expect(c.output == a.output)
    try expectFailure(
      vdsq, ["classify", model, "--labels", "a,b", "--field", "text"],
      input: Data("{\"text\": 5}\n".utf8), status: 65, mentioning: "line 1")
  }

  @Test func examplesAndAdapters() throws {
    let examples = try folder.write(
      Data(
        (0..<12).map { i in
          let even = i % 2 == 0
          return "{\"text\": \"\(even ? "hello world" : "stop it") \(i)\", "
            + "\"label\": \"\(even ? "greeting" : "order")\"}"
        }.joined(separator: "\n").utf8), to: "examples.jsonl")
    let adapter = folder.path("a.vdsa")
    let adapted = try vdsq.run(["adapt", model, examples, "-o", adapter])
    #expect(adapted.status == 0 && adapted.output.contains("2 labels"), "\(adapted.errors)")
    let input = "hello world\nstop it\n"
    let direct = try vdsq.run(["classify", model, "--examples", examples], input: input)
    let through = try vdsq.run(["classify", model, "--adapter", adapter], input: input)
    let small = try vdsqRun.run([model, "--adapter", adapter], input: input)
    #expect(direct.output == through.output && direct.output == small.output)
    #expect(direct.lines.map { $0.split(separator: "\t")[0] } == ["greeting", "order"])

    let other = folder.path("other.vdsq")
    _ = try vdsq.run(["convert", Fixtures.path("bert-cls-f16"), "-o", other])
    try expectFailure(
      vdsq, ["classify", other, "--adapter", adapter], status: 65, mentioning: "another model")
    try expectFailure(
      vdsqRun, [other, "--adapter", adapter], status: 65, mentioning: "another model")
    try expectFailure(
      vdsq, ["classify", model, "--adapter", model], status: 65, mentioning: "not an adapter")
    try expectFailure(
      vdsq, ["adapt", model, examples, "-o", adapter], status: 64, mentioning: "--force")
    let bad = try folder.write(Data("{\"text\": \"x\"}\n".utf8), to: "bad.jsonl")
    try expectFailure(
      vdsq, ["classify", model, "--examples", bad], status: 65, mentioning: "line 1")
    try expectFailure(
      vdsq, ["classify", model, "--examples", examples, "--labels", "greeting,x"], status: 65,
      mentioning: "order")
  }

  @Test func textsThatAreNotUTF8OrTooLong() throws {
    let input =
      Data([0x68, 0x69, 0xFF, 0x0A]) + Data(repeating: 0x61, count: 3_000_000)
      + Data("\n".utf8) + Data(String(repeating: "hello ", count: 200_000).utf8)
    let arguments = ["classify", model, "--labels", "a,b"]
    let result = try vdsq.run(arguments, input: input)
    #expect(result.status == 0 && result.lines.count == 3)
    #expect(result.errors.contains("2 of 3 texts cut to 40 tokens"), "\(result.errors)")
    #expect(result.errors.contains("1 of 3 texts with invalid UTF-8"))
    #expect(try vdsq.run(arguments + ["-q"], input: input).errors.isEmpty)
    try expectFailure(
      vdsq, arguments + ["--strict"], input: input, status: 65, mentioning: "line 1")
    try expectFailure(
      vdsqRun, [model, "--labels", "a,b", "--strict"], input: input, status: 65,
      mentioning: "line 1")
    let small = try vdsqRun.run([model, "--labels", "a,b", "--stats"], input: input)
    #expect(small.errors.contains("2 cut, 1 with invalid UTF-8"))
  }

  /// Both programs withhold doubtful labels alike.
  @Test func abstaining() throws {
    let input = "hello world\ncafé\nstop\n"
    let options = [model, "--labels", "world,café,stop"]
    let all = try vdsq.run(["classify"] + options + ["--json"], input: input)
    let probabilities = try all.lines.map { line -> Double in
      let json = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return try #require(json?["probability"] as? Double)
    }
    let limit = String(format: "%.3f", probabilities.sorted()[1])
    for extra in [["--out-of-scope", "other"], ["--out-of-scope", "other", "--json"], []] {
      let arguments = options + ["--abstain", limit] + extra
      let ours = try vdsq.run(["classify"] + arguments, input: input)
      let theirs = try vdsqRun.run(arguments, input: input)
      #expect(ours.status == 0 && ours.output == theirs.output)
      for (line, probability) in zip(ours.lines, probabilities) {
        let abstains = probability < Double(limit)!
        let name = extra.isEmpty ? "-\t" : extra.contains("--json") ? "\"other\"" : "other\t"
        #expect(line.contains(name) == abstains)
        if extra.contains("--json") { #expect(line.contains("\"abstained\": \(abstains)")) }
      }
    }
    for wrong in ["0", "1.5", "x", "", "-1", "."] {
      try expectFailure(
        vdsq, ["classify"] + options + ["--abstain=\(wrong)"], status: 64, mentioning: "abstain")
      try expectFailure(
        vdsqRun, options + ["--abstain", wrong], status: 64, mentioning: "abstain")
    }
  }

  @Test func labelsThatAreWrong() throws {
    for list in ["", "a,a", "a,,b", "a=", "a=x;"] {
      try expectFailure(
        vdsq, ["classify", model, "--labels", list], status: 64, mentioning: "label")
      try expectFailure(vdsqRun, [model, "--labels", list], status: 64, mentioning: "label")
    }
    let empty = try folder.write(Data(), to: "empty")
    try expectFailure(
      vdsq, ["classify", model, "--labels-file", empty], status: 65, mentioning: "empty")
    try expectFailure(
      vdsq, ["classify", model, "--labels-file", folder.path("absent")], status: 66,
      mentioning: "absent")
    try expectFailure(vdsqRun, [model], status: 64, mentioning: "label")
  }

  /// A label word that would be truncated is refused by name, in both programs and in training.
  @Test func labelWordsThatDoNotFit() throws {
    let long = String(repeating: "hello ", count: 60)
    let examples = try folder.write(
      Data("{\"text\": \"a\", \"label\": \"\(long)\"}\n{\"text\": \"b\", \"label\": \"b\"}\n".utf8),
      to: "long.jsonl")
    for (program, arguments) in [
      (vdsq, ["classify", model, "--labels", "a,b", "--max-tokens", "5"]),
      (vdsqRun, [model, "--labels", "a,b", "--max-tokens", "5"]),
      (vdsq, ["classify", model, "--labels", "a;b=x,\(long)", "--template", "{}"]),
      (vdsq, ["logits", model, "--labels", "a,\(long)"]),
      (vdsq, ["learn", model, folder.path("l.vdsa"), "--labels", "a,\(long)"]),
      (vdsq, ["adapt", model, examples, "-o", folder.path("l.vdsa")]),
    ] {
      try expectFailure(program, arguments, status: 64, mentioning: "--max-tokens: the label")
    }
    #expect(!folder.contents.contains("l.vdsa"))
    let bare = ["classify", model, "--labels", "a,b", "--max-tokens", "5", "--template", "{}"]
    #expect(try vdsq.run(bare, input: "a\n").output.hasPrefix("a\t"))
    let gpt2 = folder.path("gpt2.vdsq")
    _ = try vdsq.run(["convert", Fixtures.path("language-models/gpt2"), "-o", gpt2, "-q"])
    try expectFailure(
      vdsq, ["classify", gpt2, "--labels", "a,\(String(repeating: long, count: 10))"], status: 64,
      mentioning: "more than 256 tokens")
  }

  /// An option's value is not the next option; `--` ends the options; a value that begins with a
  /// hyphen stands behind an equals sign.
  @Test func optionsOfTheSmallProgram() throws {
    let labels = ["--labels", "hello,stop"]
    for (arguments, what) in [
      ([model] + labels + ["--out-of-scope", "--json"], "--out-of-scope needs a value"),
      ([model, "--labels", "-q"], "--labels needs a value"),
      ([model, "--adapter", "--top", "2"], "--adapter needs a value"),
      ([model] + labels + ["--top"], "--top needs a value"),
      ([model] + labels + ["--json=1"], "--json takes no value"),
      ([model] + labels + ["--", "--json"], "--json: one model is enough"),
      (labels + ["--"], "no model"), ([model] + labels + ["--temperature", "0"], "above 0"),
      ([model] + labels + ["--temperature", "-1"], "above 0"),
    ] {
      try expectFailure(vdsqRun, arguments, status: 64, mentioning: what)
    }
    let answers = try vdsqRun.run([model] + labels, input: "hello\n").output
    #expect(try vdsqRun.run(labels + ["--", model], input: "hello\n").output == answers)
    let scoped = labels + ["--out-of-scope=--json", "--abstain", "1"]
    #expect(try vdsqRun.run([model] + scoped, input: "hello\n").output.hasPrefix("--json\t"))
    let hyphen = try Shell.run(
      "cp m.vdsq ./-m.vdsq && echo hello | vdsq-run --labels hello,stop -- -m.vdsq",
      in: folder.url)
    #expect(hyphen.output == answers)
  }

  /// Answers never go into a file that is read.
  @Test func outputsThatAreInputs() throws {
    _ = try folder.write(Data("hello\nstop\n".utf8), to: "labels")
    _ = try vdsq.run(["learn", model, folder.path("a.vdsa"), "--labels", "hello,stop"])
    for (options, file) in [
      ("--labels hello,stop", "m.vdsq"), ("--labels-file labels", "labels"),
      ("--adapter a.vdsa", "a.vdsa"), ("--adapter a.vdsa", "m.vdsq"),
    ] {
      let before = try Data(contentsOf: folder.url.appendingPathComponent(file))
      for program in ["vdsq-run", "vdsq classify"] {
        let result = try Shell.run(
          "echo hello | \(program) m.vdsq \(options) >> \(file)", in: folder.url)
        #expect(result.status == 64 && result.errors.contains(file), "\(result.errors)")
        #expect(try Data(contentsOf: folder.url.appendingPathComponent(file)) == before)
      }
    }
  }

  /// What is not UTF-8 in an argument is refused; otherwise it would be replaced.
  @Test(arguments: [
    "vdsq lens m.vdsq $'h\\xff' --json", "vdsq classify m.vdsq --labels $'a,b\\xe9'",
    "vdsq-run m.vdsq --labels $'a,b\\xe9'",
    "vdsq classify m.vdsq --labels a,b --template $'\\x80{}'",
    "vdsq inspect $'\\xe9.vdsq'",
  ])
  func argumentsThatAreNotUTF8(_ command: String) throws {
    let result = try Shell.run("echo hello | \(command)", in: folder.url)
    #expect(result.status == 64 && result.errors.contains("is not UTF-8"), "\(result.errors)")
  }

  /// A negative number is a value that is out of range, not a missing value.
  @Test(arguments: ["--threads", "--max-tokens", "--top", "--temperature", "--abstain", "--batch"])
  func negativeNumbers(_ option: String) throws {
    for value in ["-1", "-0.5"] {
      let result = try vdsq.run(["classify", model, "--labels", "a,b", option, value])
      #expect(result.status == 64 && result.errors.contains(option), "\(result.errors)")
      #expect(!result.errors.contains("Missing value"), "\(result.errors)")
    }
  }

  /// Where an output cannot be made: by its name, or because of its folder.
  @Test func outputsThatCannotBeMade() throws {
    for (path, status) in [("", Int32(64)), (folder.path("none/x"), 64), ("/sys/x", 70)] {
      try expectFailure(
        vdsq, ["embed", model, "-o", path], status: status,
        mentioning: path.isEmpty ? "name is empty" : path)
      try expectFailure(
        vdsq, ["convert", Fixtures.path("bert-mean"), "-o", path], status: status,
        mentioning: path.isEmpty ? "name is empty" : path)
    }
  }

  @Test func wrongUsage() throws {
    try expectFailure(vdsq, ["classify", model], status: 64, mentioning: "name labels")
    try expectFailure(vdsq, ["convert"], status: 64, mentioning: "--output")
    try expectFailure(vdsq, ["convert", "-o", "x"], status: 64, mentioning: "--head")
    try expectFailure(vdsq, ["nonsense"], status: 64, mentioning: "nonsense")
    try expectFailure(
      vdsq, ["classify", model, "--labels", "a,b", "--threads", "0"], status: 64,
      mentioning: "threads")
    try expectFailure(
      vdsq, ["classify", model, "--labels", "a,b", "--max-tokens", "99"], status: 64,
      mentioning: "max-tokens")
    try expectFailure(
      vdsq, ["classify", model, "--labels", "a,b", "--temperature", "0"], status: 64,
      mentioning: "temperature")
    try expectFailure(vdsqRun, [model, "--nonsense"], status: 64, mentioning: "usage")
    try expectFailure(vdsqRun, [], status: 64, mentioning: "usage")
    let forced = try vdsq.run(
      ["classify", model, "--labels", "a,b"], environment: ["VDSQ_ISA": "mmx"])
    #expect(forced.status == 64 && forced.errors.contains("baseline"))
  }

  @Test func filesThatAreWrong() throws {
    let text = try folder.write(Data("hello".utf8), to: "text")
    let empty = try folder.write(Data(), to: "nothing")
    for (path, status) in [
      (text, Int32(65)), (empty, 65), (folder.path("absent"), 66), ("/dev/null", 65),
    ] {
      for program in ["classify", "inspect", "embed"] {
        let labels = program == "classify" ? ["--labels", "a"] : []
        try expectFailure(vdsq, [program, path] + labels, status: status, mentioning: path)
      }
      try expectFailure(vdsqRun, [path, "--labels", "a"], status: status, mentioning: path)
    }
    try expectFailure(
      vdsq, ["convert", folder.path("absent"), "-o", folder.path("x")], status: 66,
      mentioning: "absent")
    #expect(!folder.contents.contains("x"))
  }

  @Test func inspectShowsEverything() throws {
    let table = try vdsq.run(["inspect", model, "--verify"])
    #expect(table.status == 0 && table.output.contains("checksums match"))
    let json = try vdsq.run(["inspect", model, "--json"])
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    let tensors = try #require(object["tensors"] as? [[String: Any]])
    #expect(tensors.count == 6 + 2 * 12)
    #expect((object["sections"] as? [Any])?.count == 8)
    #expect((object["metadata"] as? [String: Any])?["hidden_size"] as? Int == 48)
    var damaged = try Data(contentsOf: URL(fileURLWithPath: model))
    damaged[damaged.count / 2] ^= 1
    let path = try folder.write(damaged, to: "damaged.vdsq")
    #expect(try vdsq.run(["inspect", path]).status == 0)
    try expectFailure(vdsq, ["inspect", path, "--verify"], status: 65, mentioning: "damaged")
  }

  @Test func embedWritesMatricesAndLines() throws {
    let path = folder.path("v.npy")
    #expect(try vdsq.run(["embed", model, "-o", path], input: "a\nb\nc\n").status == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 128 + 3 * 48 * 4)
    try expectFailure(vdsq, ["embed", model, "-o", path], status: 64, mentioning: "--force")
    let lines = try vdsq.run(["embed", model], input: "a\nb\n").lines
    #expect(lines.count == 2)
    let golden = try Fixtures.json("bert-mean/golden.json", as: [Golden].self)
    let input = golden.map { "{\"text\": \(encoded($0.text))}" }.joined(separator: "\n")
    let tokens = try vdsq.run(["embed", model, "--tokens", "--field", "text"], input: input)
    #expect(
      tokens.lines
        == golden.map { "{\"tokens\": [\($0.ids.map(String.init).joined(separator: ", "))]}" })
  }

  private func encoded(_ text: String) -> String {
    String(decoding: try! JSONEncoder().encode(text), as: UTF8.self)
  }

  /// An answer comes while the input is still open.
  @Test func answersDoNotWaitForTheEnd() throws {
    let process = Process()
    process.executableURL = Fixtures.products.appendingPathComponent("vdsq")
    process.arguments = ["classify", model, "--labels", "a,b"]
    let input = Pipe(), output = Pipe()
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    for _ in 0..<3 {
      input.fileHandleForWriting.write(Data("hello\n".utf8))
      let answer = output.fileHandleForReading.availableData
      #expect(String(decoding: answer, as: UTF8.self).hasSuffix("\n"))
    }
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test func logitsAreTokensAndCosines() throws {
    let input = "hello world\nnaïve café\n\n"
    let plain = try vdsq.run(["logits", model, "--top", "3"], input: input)
    #expect(plain.status == 0 && plain.lines.count == 3, "\(plain.errors)")
    #expect(plain.lines[0].split(separator: "\t").count == 6)
    let json = try vdsq.run(["logits", model, "--top", "4", "--json"], input: input)
    let rows = try json.lines.map {
      try #require(
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [[String: Any]])
    }
    #expect(rows.allSatisfy { $0.count == 4 && $0[0]["id"] is Int && $0[0]["token"] is String })
    let cosines = rows[0].map { $0["cosine"] as? Double ?? .nan }
    #expect(cosines == cosines.sorted(by: >) && cosines[0] <= 1)
    let shares = rows[0].map { $0["probability"] as? Double ?? .nan }
    #expect(shares == shares.sorted(by: >) && shares.reduce(0, +) <= 1)

    try expectFailure(
      vdsq, ["logits", model, "--approx"], status: 65, mentioning: "coarse rows")
    let coarse = folder.path("coarse.vdsq")
    #expect(
      try vdsq.run(["convert", Fixtures.path("bert-mean"), "-o", coarse, "--coarse"]).status == 0)
    let approximate = try vdsq.run(
      ["logits", coarse, "--top", "4", "--json", "--approx"], input: input)
    // So small a vocabulary is looked at whole.
    for (line, row) in zip(approximate.lines, rows) {
      let found = try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [[String: Any]])
      #expect(found.map { $0["id"] as? Int } == row.map { $0["id"] as? Int })
      #expect(found.map { $0["cosine"] as? Double } == row.map { $0["cosine"] as? Double })
    }
    #expect(approximate.errors.contains("recall@4 1.0000, measured on 1 of 3 texts"))
    #expect(try vdsq.run(["inspect", coarse, "--verify"]).output.contains("blocks64"))

    let half = folder.path("half.vdsq")
    let convert = ["convert", Fixtures.path("bert-mean"), "-o", half, "--weights", "fp16"]
    #expect(try vdsq.run(convert).status == 0)
    try expectFailure(vdsq, ["logits", half], status: 65, mentioning: "int8")
    try expectFailure(
      vdsq, convert + ["--coarse", "--force"], status: 64, mentioning: "--coarse")
  }
}
