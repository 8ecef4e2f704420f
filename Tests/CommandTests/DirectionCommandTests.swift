import Foundation
import TestSupport
import Testing

/// `direction`, and the options that use its files.
@Suite struct DirectionCommandTests {
  private let folder: TemporaryFolder
  private let vdsq = Program("vdsq")
  private let model: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path("lm.vdsq")
    _ = try vdsq.run(["convert", Fixtures.path("language-models/llama"), "-o", model, "-q"])
  }

  private func examples() throws -> String {
    let words = ["hello", "world", "the", "is", "great", "it was", "not", "the world"]
    let lines = words.flatMap { word in
      [
        "{\"text\": \"\(word) hello\", \"label\": \"a\"}",
        "{\"text\": \"\(word) the\", \"label\": \"b\"}",
      ]
    }
    return try folder.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: "e.jsonl")
  }

  @Test func findsAndUses() throws {
    let examples = try examples(), file = folder.path("d.vdsd")
    let found = try vdsq.run(
      ["direction", model, examples, "--toward", "b", "-o", file, "--json", "-q"])
    #expect(found.status == 0, "\(found.errors)")
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(found.output.utf8)) as? [String: Any])
    #expect((json["auc"] as? [Double])?.count == 3)
    let layer = try #require(json["layer"] as? Int)
    #expect(layer == 1, "neither the embeddings nor the last of two")
    let ends = try #require((json["directions"] as? [[String: Any]])?.first)
    #expect((ends["toward"] as? [Any])?.count == 6 && (ends["away"] as? [Any])?.count == 6)
    func answer(_ command: [String], _ options: [String]) throws -> String {
      let result = try vdsq.run(command + options, input: Data("hello world\n".utf8))
      #expect(result.status == 0, "\(result.errors)")
      return result.output
    }
    for command in [
      ["generate", model, "hello", "--max-tokens", "8", "--json"],
      ["logits", model, "--entangled", "--json"], ["lens", model, "hello world", "--json"],
      ["classify", model, "--labels", "hello,world", "--json"],
    ] {
      let plain = try answer(command, [])
      #expect(try answer(command, ["--steer", "\(file)=0"]) == plain, "\(command[0])")
      #expect(try answer(command, ["--steer", "\(file)=2"]) != plain, "\(command[0])")
      #expect(try answer(command, ["--steer", "\(file)#1=2", "--steer-layer", "2"]) != plain)
    }
    let plain = try answer(["embed", model], [])
    #expect(try answer(["embed", model], ["--without", file]) != plain)
    for (options, status) in [
      (["--steer", "\(file)#2=1"], 64), (["--without", "d.npy"], 64), (["--steer-layer", "1"], 64),
      (["--without", folder.path("none.vdsd")], 66), (["--without", "\(file)#0"], 64),
    ] as [([String], Int32)] {
      #expect(try vdsq.run(["embed", model] + options).status == status, "\(options)")
    }
    #expect(try vdsq.run(["embed", file]).status == 65)
  }

  @Test func withoutLabels() throws {
    let texts = try folder.write(
      Data("hello world\nthe world\nit was not great\n".utf8), to: "t.txt")
    let first = folder.path("p.vdsd")
    for method in ["pca", "jacobian"] {
      let result = try vdsq.run(
        [
          "direction", model, texts, "--method", method, "--count", "2", "--layer", "1", "-o",
          first,
          "--force",
        ])
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.lines.filter { $0.hasPrefix("direction ") }.count == 2)
    }
    // With --orthogonal-to, only the rest; and what cannot be.
    let examples = try examples()
    #expect(
      try vdsq.run([
        "direction", model, examples, "--layer", "1", "--orthogonal-to", first, "-o",
        folder.path("o.vdsd"), "-q",
      ]).status == 0)
    for (arguments, status) in [
      ([texts, "--method", "pca", "--toward", "a"], 64),
      ([texts, "--method", "pca", "--layer", "9"], 64),
      ([examples, "--toward", "c"], 64), ([texts, "--method", "pca", "--count", "0"], 64),
      ([folder.path("none")], 66),
    ] as [([String], Int32)] {
      let result = try vdsq.run(["direction", model] + arguments + ["-o", folder.path("x.vdsd")])
      #expect(result.status == status, "\(arguments): \(result.errors)")
    }
  }
}
