import Foundation
import TestSupport
import Testing

/// Language models as users meet them: conversion with bases, logits, the lens, classification.
@Suite struct LanguageModelCommandTests {
  private let folder: TemporaryFolder
  private let vdsq = Program("vdsq")
  private let vdsqRun = Program("vdsq-run")

  init() throws { folder = try TemporaryFolder() }

  private func convert(_ name: String, _ options: [String] = []) throws -> String {
    let path = folder.path("\(name).vdsq")
    let result = try vdsq.run(
      ["convert", Fixtures.path("language-models/\(name)"), "-o", path, "--force"] + options)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("bases"))
    return path
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  /// What a command keeps of every layer counts, for each token of the longest text.
  @Test func budgetsCountTheStatesOfLayers() throws {
    let model = try convert("llama")
    let texts = try folder.write(Array("hello world\nIt was great.\n".utf8), to: "texts.txt")
    func needed(_ command: [String], tokens: Int, input: String = "") throws -> Int {
      let options = ["--memory-budget", "1M", "--max-tokens", "\(tokens)", "--threads", "1"]
      let result = try vdsq.run(command + options, input: input)
      #expect(result.status == 75, "\(command)")
      let kibibytes = try #require(result.errors.firstMatch(of: /needs ([0-9]+)K/)?.1)
      return try #require(Int(kibibytes)) << 10
    }
    func budgetSuffices(_ command: [String], _ needed: Int, input: String = "") throws {
      let options = ["--memory-budget", "\(needed >> 10)K", "--max-tokens", "48", "--threads", "1"]
      let result = try vdsq.run(command + options, input: input)
      #expect(result.status == 0, "\(command) \(result.errors)")
    }
    let lens = ["lens", model, "hello world", "--json"]
    // 3 layers of 2 views, whose cells and states of 48 floats take about 9 KB a token. What the
    // program takes is measured, and differs from one run to the next.
    #expect(try needed(lens, tokens: 120) - needed(lens, tokens: 8) > 112 * 6000)
    try budgetSuffices(lens, try needed(lens, tokens: 48))
    let embed = ["embed", model, "--layers", "all", "-o", folder.path("s.npy"), "--force"]
    let states = try needed(embed, tokens: 48, input: "hello")
    try budgetSuffices(embed, states, input: "hello")
    let tune = ["tune-lens", model, texts, "-o", folder.path("l.vdsl"), "--force"]
    let moments = try needed(tune, tokens: 48)
    #expect(moments - states > 128 << 10)
    try budgetSuffices(tune, moments)
  }

  @Test func logitsStandBesideTheHeads() throws {
    let model = try convert("gpt2")
    let plain = try vdsq.run(
      ["logits", model, "--top", "2", "--entangled"], input: "hello world\n\n")
    #expect(plain.status == 0 && plain.lines.count == 2, "\(plain.errors)")
    #expect(plain.lines[0].contains("\t|\t"))
    let json = try vdsq.run(
      ["logits", model, "--top", "3", "--json", "--entangled", "--gradient", "5"],
      input: "hello world\n")
    let line = try object(json.output)
    for key in ["tokens", "entangled"] {
      let rows = try #require(line[key] as? [[String: Any]])
      #expect(rows.count == 3 && rows.allSatisfy { $0["probability"] is Double })
    }
    #expect((line["gradient"] as? [Double])?.count == 40)
    #expect(line["loss"] as? Double ?? -1 > 0)
    let labels = try vdsq.run(
      ["logits", model, "--labels", "good=is,of;bad=world", "--json"], input: "hello\n")
    #expect(labels.output.contains("\"label\": \"good\""), "\(labels.errors)")
  }

  @Test func basesStandByThemselves() throws {
    let states = Fixtures.path("bases/states.npy")
    let head = Fixtures.path("bases/full.npy")
    let vocab = try folder.write(
      Data((0..<300).map { "token\($0)\n" }.joined().utf8), to: "vocab.txt")
    let bases = folder.path("bases.vdsq")
    let made = try vdsq.run(
      ["bases", "--head", head, "--vocab", vocab, "-o", bases, "--memory-budget", "64M", "--json"])
    #expect(made.status == 0, "\(made.errors)")
    #expect(made.errors.contains("plan: 300 x 24, ridge"), "the plan comes first")
    let report = try object(made.output)
    #expect(report["rank"] as? Int == 24)
    #expect((report["peak_bytes"] as? Int ?? .max) <= 64 << 20)
    let found = try vdsq.run(["logits", bases, "--hidden", states, "--top", "2", "--json"])
    #expect(found.lines.count == 64 && found.lines[0].contains("\"token\": \"token"))
    for (arguments, status, word): ([String], Int32, String) in [
      (["logits", bases], 64, "--hidden"),
      (["logits", bases, "--hidden", head + "x"], 66, "opened"),
      (["logits", bases, "--hidden", vocab], 65, "npy"),
      (["bases", "--head", head, "-o", bases], 64, "--force"),
      (["bases", "--head", head, "-o", folder.path("x"), "--memory-budget", "1M"], 75, "at least"),
      (["bases", "--head", head, "-o", folder.path("x"), "--memory-budget", "lots"], 64, "budget"),
      (["bases", "-o", folder.path("x")], 64, "--head"),
      (["bases", "--head", head, "--vocab", head, "-o", folder.path("x")], 65, "lines"),
      (["classify", bases, "--labels", "a,b"], 65, "bases, not a model"),
    ] {
      let result = try vdsq.run(arguments, input: "x\n")
      #expect(result.status == status, "\(arguments): \(result.errors)")
      #expect(result.errors.contains(word), "\(result.errors)")
    }
    #expect(folder.contents == ["bases.vdsq", "vocab.txt"])
  }

  @Test func basesBelongToTheirModel() throws {
    let (gpt2, llama) = (try convert("gpt2"), try convert("llama"))
    let ridge = folder.path("ridge.vdsq")
    #expect(
      try vdsq.run(["bases", gpt2, "--method", "ridge", "-o", ridge, "-q"]).status == 0)
    let own = try vdsq.run(["logits", gpt2, "--bases", ridge, "--top", "1"], input: "hello\n")
    #expect(own.status == 0 && own.lines.count == 1, "\(own.errors)")
    let other = try vdsq.run(["logits", llama, "--bases", ridge], input: "hello\n")
    #expect(other.status == 65 && other.errors.contains("another model"))
  }

  @Test func theLensIsOnePage() throws {
    let model = try convert("llama")
    let page = folder.path("lens.html")
    let text = "</script><b>hello & world"
    let result = try vdsq.run(["lens", model, text, "-o", page, "--json", "--top", "4"])
    #expect(result.status == 0, "\(result.errors)")
    let lens = try object(result.output)
    let tokens = try #require(lens["tokens"] as? [[String: Any]])
    let layers = try #require(lens["layers"] as? [[String: Any]])
    #expect(layers.count == 3 && (lens["final"] as? [Any])?.count == tokens.count)
    for layer in layers {
      let positions = try #require(layer["positions"] as? [[String: Any]])
      #expect(positions.count == tokens.count)
      #expect(positions.allSatisfy { ($0["top"] as? [Any])?.count == 4 })
    }
    #expect((lens["logit"] as? [String: Any])?["layers"] as? [Any] != nil)
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(!html.contains("http://") && !html.contains("https://") && !html.contains("src="))
    #expect(!html.contains(text), "the text is data, not markup")
    #expect(try vdsq.run(["lens", model, text]).status == 64)
    #expect(try vdsq.run(["lens", model, text, "-o", page]).status == 64)
  }

  @Test func lensesTrackTokensAndCompareTexts() throws {
    let model = try convert("gpt2")
    let result = try vdsq.run(
      ["lens", model, "hello world", "--compare", "naïve 日本", "--lens", "logit", "--token", " is"]
        + ["--token", "7", "--json"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("not the id 7"))
    let lens = try object(result.output)
    #expect(lens["lenses"] as? [String] == ["logit"] && lens["basis"] == nil)
    let tracked = try #require(lens["tracked"] as? [[String: Any]])
    #expect(tracked.map { $0["token"] as? String } == [" is", "7"])
    let other = try #require((lens["compared"] as? [[String: Any]])?.first)
    #expect(other["text"] as? String == "naïve 日本")
    // Tokens that are parts of characters.
    let tokens = try #require(other["tokens"] as? [[String: Any]]).compactMap {
      $0["token"] as? String
    }
    #expect(tokens.contains { $0.contains("\\xE6") || $0.contains("\\xC3") }, "\(tokens)")
    #expect(!tokens.contains { $0.contains("\u{FFFD}") })
    let layers = try #require(other["layers"] as? [[String: Any]])
    for layer in layers {
      for cell in try #require(layer["positions"] as? [[String: Any]]) {
        let places = try #require(cell["tracked"] as? [[String: Any]])
        #expect(places.count == 2 && places.allSatisfy { ($0["rank"] as? Int ?? -1) < 340 })
        #expect(cell["rank_of_final"] is Int && cell["entropy"] is Double)
      }
    }
    for (options, word): ([String], String) in [
      (["--lens", "basis,x"], "basis,logit,tuned"),
      (["--lens", "basis,basis"], "basis,logit,tuned"),
      (["--token", "nothing"], "no token"), (["--steer", "x"], "NAME=FACTOR"),
      (["--steer", " is=1", "--steer-layer", "3"], "no layer 3"),
      (["--steer-layer", "1"], "--steer"),
      (["--steer", " is=nan"], "NAME=FACTOR"),
    ] {
      let wrong = try vdsq.run(["lens", model, "hello", "--json"] + options)
      #expect(wrong.status == 64 && wrong.errors.contains(word), "\(options): \(wrong.errors)")
    }
  }

  /// Steering towards a label's word makes the label more probable, in every command that has it.
  @Test func statesAreSteered() throws {
    let model = try convert("gpt2")
    func probability(_ factor: String?) throws -> Double {
      let steering = factor.map { ["--steer", " is=\($0)", "--steer-layer", "2"] } ?? []
      let result = try vdsq.run(
        ["classify", model, "--labels", "a=is;b=of", "--json", "--top", "2"] + steering,
        input: "hello world\n")
      let labels = try #require(try object(result.output)["top"] as? [[String: Any]], "\(result)")
      let found = labels.first { $0["label"] as? String == "a" }
      return try #require(found?["probability"] as? Double)
    }
    let (away, plain, towards) = (
      try probability("-3"), try probability(nil), try probability("3")
    )
    #expect(away < plain && plain < towards)
    let vector = folder.path("direction.npy")
    let made = try vdsq.run(["embed", model, "-o", vector], input: "hello world\n")
    #expect(made.status == 0, "\(made.errors)")
    let steered = try vdsq.run(
      ["logits", model, "--steer-file", "\(vector)=0.5", "--top", "1"], input: "hello\n")
    #expect(steered.status == 0, "\(steered.errors)")
    let none = try vdsq.run(["logits", model, "--top", "1"], input: "hello\n")
    #expect(steered.output != none.output)
    let several = try vdsq.run(
      ["logits", model, "--steer-file", "\(Fixtures.path("bases/states.npy"))=1"], input: "x\n")
    #expect(several.status == 65 && several.errors.contains("one vector"), "\(several.errors)")
  }

  /// The header and the values of a .npy file.
  private func array(_ path: String) throws -> (shape: String, values: [Float]) {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let header = String(decoding: bytes[10..<128], as: UTF8.self)
    let shape = try #require(header.split(separator: "(").last?.split(separator: ")").first)
    let values = bytes.dropFirst(128).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    return (String(shape), values)
  }

  @Test func arraysHaveEveryLayerAndToken() throws {
    let model = try convert("gpt2", ["--weights", "fp32"])
    let path = folder.path("x.npy")
    func run(_ arguments: [String], _ input: String = "hello world\nof\n") throws {
      let result = try vdsq.run(arguments + ["--force"], input: input)
      #expect(result.status == 0, "\(result.errors)")
    }
    try run(["embed", model, "-o", path])
    let vectors = try array(path)
    try run(["embed", model, "--layers", "all", "-o", path])
    let all = try array(path)
    #expect(vectors.shape == "2, 40" && all.shape == "2, 3, 40")
    for text in 0..<2 {
      let last = Array(all.values[text * 120 + 80..<text * 120 + 120])
      #expect(relativeError(last, Array(vectors.values[text * 40..<text * 40 + 40])) < 1e-5)
    }
    try run(["embed", model, "--layers", "2,0", "-o", path])
    #expect(try array(path).shape == "2, 2, 40")
    #expect(Array(try array(path).values[40..<80]) == Array(all.values[0..<40]))
    try run(["embed", model, "--layers", "all", "--per-token", "-o", path], "of\n")
    let tokens = try array(path)
    #expect(Array(tokens.values.suffix(120)) == Array(all.values.suffix(120)))
    let lines = try vdsq.run(["embed", model, "--layers", "1"], input: "of\n")
    #expect((try object(lines.output)["layers"] as? [[Double]])?.first?.count == 40)
    for (options, name): ([String], String) in [([], "tokens"), (["--entangled"], "entangled")] {
      let result = try vdsq.run(
        ["logits", model, "--scores-out", path, "--force", "--json", "--top", "1"] + options,
        input: "hello world\nof\n")
      let scores = try array(path)
      #expect(scores.shape == "2, 340", "\(result.errors)")
      for (text, line) in result.lines.enumerated() {
        let parsed = try JSONSerialization.jsonObject(with: Data(line.utf8))
        let answer = (parsed as? [String: Any])?[name] ?? parsed
        let best = try #require((answer as? [[String: Any]])?.first)
        let row = scores.values[text * 340..<text * 340 + 340]
        let id = try #require(best["id"] as? Int)
        #expect(row[text * 340 + id] == row.max())
        let value = try #require((best["cosine"] ?? best["logit"]) as? Double)
        #expect(abs(Double(row.max()!) - value) < 1e-5)
      }
    }
    for arguments in [
      ["embed", model, "--layers", "3"], ["embed", model, "--layers", "x"],
      ["embed", model, "--per-token"], ["embed", model, "--layers", "all", "--tokens"],
      ["logits", model, "--scores-out", path], ["logits", model, "--scores-out", model, "--force"],
      ["logits", model, "--scores-out", path, "--force", "--labels", "a,b"],
    ] {
      let result = try vdsq.run(arguments, input: "of\n")
      #expect(result.status == 64, "\(arguments): \(result.output)")
    }
  }

  /// Before they are scaled, bases are the pseudo-inverse: W^T S is the identity.
  @Test func basesAsAnArrayAreNotScaled() throws {
    let (path, file) = (folder.path("s.npy"), folder.path("b.vdsq"))
    let head = Fixtures.path("bases/full.npy")
    let made = try vdsq.run(
      ["bases", "--head", head, "--method", "pinv", "-o", file, "--npy", path, "-q"])
    #expect(made.status == 0, "\(made.errors)")
    let bases = try array(path)
    #expect(bases.shape == "300, 24")
    let golden = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("bases/full.golden.npy")))
    let units = golden.dropFirst(128).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    let rows = try Data(contentsOf: URL(fileURLWithPath: head)).dropFirst(128)
    let weights = rows.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    #expect(units.count == 7200 && weights.count == 7200)
    for i in 0..<24 {
      for j in 0..<24 {
        var sum = 0.0
        for row in 0..<300 {
          sum += Double(weights[row * 24 + i]) * Double(bases.values[row * 24 + j])
        }
        #expect(abs(sum - (i == j ? 1 : 0)) < 1e-4)
      }
    }
    for row in 0..<300 {
      let own = bases.values[row * 24..<row * 24 + 24].map(Double.init)
      let length = own.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for i in 0..<24 { #expect(abs(own[i] / length - Double(units[row * 24 + i])) < 1e-5) }
    }
    let both = try vdsq.run(["bases", "--head", head, "-o", file, "--npy", file, "--force"])
    #expect(both.status == 64)
  }

  @Test(arguments: [
    ("gpt2", "{text} It was"), ("roberta", "{text} It was <mask>."), ("bert", "{text} is [MASK]."),
  ])
  func bothProgramsClassifyAlike(_ name: String, _ template: String) throws {
    let model = try convert(name)
    let long = String(repeating: "great hello world ", count: 60)
    let input = "hello world\n\nnaïve café\n\(long)\n"
    let options = [
      model, "--labels", "good=great,is;bad=world", "--template", template, "--json", "--top", "2",
    ]
    let ours = try vdsq.run(["classify"] + options, input: input)
    let theirs = try vdsqRun.run(options, input: input)
    #expect(ours.status == 0 && ours.lines.count == 4, "\(ours.errors)")
    #expect(ours.output == theirs.output)
    // The text was cut, not what follows it.
    #expect(ours.lines[3].contains("\"truncated\": true"))
    let wrong = try vdsq.run(
      ["classify", model, "--labels", "a,b", "--template", "about {}"], input: input)
    #expect(wrong.status == 64 && wrong.errors.contains("{text}"))
  }
}
