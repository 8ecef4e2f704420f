import Foundation
import TestSupport
import Testing

/// `adapt --words`: a rule that can be read, edited and used again.
@Suite struct WordsCommandTests {
  @Test func theRuleIsAFileOfLabels() throws {
    let folder = try TemporaryFolder(), vdsq = Program("vdsq")
    let (model, rule) = (folder.path("m.vdsq"), folder.path("rule.json"))
    _ = try vdsq.run(["convert", Fixtures.path("bert-mean"), "-o", model, "-q"])
    let words = ["hello", "world", "yes", "the", "is", "now"]
    let lines = words.flatMap { word in
      [
        "{\"text\": \"stop \(word)\", \"label\": \"first\"}",
        "{\"text\": \"\(word) hello\", \"label\": \"second \\\"label\\\"\"}",
      ]
    }
    let examples = try folder.write(
      Data((lines.joined(separator: "\n") + "\n").utf8), to: "e.jsonl")
    let found = try vdsq.run(["adapt", model, examples, "--words", "2", "-o", rule])
    #expect(found.status == 0, "\(found.errors)")
    #expect(found.output.contains("accuracy on 6 held-out examples: words"))
    let labels = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: rule)))
        as? [String: [String]])
    #expect(Set(labels.keys) == ["first", "second \"label\""])
    #expect(labels.values.allSatisfy { (1...2).contains($0.count) })
    let classified = try vdsq.run(
      ["classify", model, "--labels-file", rule], input: Data("stop the world\n".utf8))
    #expect(classified.status == 0, "\(classified.errors)")
    #expect(
      try vdsq.run(["adapt", model, examples, "--words", "2", "-o", rule]).status == 64, "exists")
    for options in [
      ["--words", "0"], ["--words", "2", "--method", "finetune"],
      ["--words", "2", "--multi-label"],
    ] {
      #expect(
        try vdsq.run(["adapt", model, examples, "-o", folder.path("x")] + options).status == 64)
    }
    let lm = folder.path("lm.vdsq")
    _ = try vdsq.run(["convert", Fixtures.path("language-models/gpt2"), "-o", lm, "-q"])
    #expect(
      try vdsq.run(["adapt", lm, examples, "--words", "2", "-o", folder.path("x")]).status == 64)
  }
}
