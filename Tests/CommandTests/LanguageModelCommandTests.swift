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
    #expect(made.errors.contains("plan: 300 x 24, pinv"), "the plan comes first")
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
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(!html.contains("http://") && !html.contains("https://") && !html.contains("src="))
    #expect(!html.contains(text), "the text is data, not markup")
    #expect(try vdsq.run(["lens", model, text]).status == 64)
    #expect(try vdsq.run(["lens", model, text, "-o", page]).status == 64)
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
