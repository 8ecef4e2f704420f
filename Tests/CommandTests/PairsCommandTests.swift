import Foundation
import TestSupport
import Testing

/// `vdsq pairs` against transformers, its forms of output, and what it refuses.
@Suite struct PairsCommandTests {
  private struct Golden: Decodable {
    struct Pair: Codable {
      let task, good, bad: String
    }
    struct Model: Decodable {
      let scores: [[Double]]
      let accuracy: [String: Double]
    }
    let pairs: [Pair]
    let models: [String: Model]
  }

  private let folder: TemporaryFolder
  private let vdsq = Program("vdsq")
  private let golden: Golden
  private let pairs: String

  init() throws {
    folder = try TemporaryFolder()
    golden = try JSONDecoder().decode(Golden.self, from: Fixtures.data("pairs.json"))
    let lines = try golden.pairs.map {
      String(decoding: try JSONEncoder().encode($0), as: UTF8.self) + "\n"
    }
    pairs = try folder.write(Data(lines.joined().utf8), to: "pairs.jsonl")
  }

  private func convert(_ name: String) throws -> String {
    let model = folder.path("\(name).vdsq")
    let result = try vdsq.run(
      [
        "convert", Fixtures.path("language-models/\(name)"), "-o", model, "-q", "--weights", "fp32",
      ])
    try #require(result.status == 0, "\(result.errors)")
    return model
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test(arguments: ["gpt2", "llama", "qwen2"]) func scoresAreThoseOfTransformers(
    _ name: String
  ) throws {
    let model = try convert(name), expected = try #require(golden.models[name])
    let each = try vdsq.run(["pairs", model, pairs, "--each", "--json", "-q"])
    #expect(each.status == 0 && each.lines.count == golden.pairs.count, "\(each.errors)")
    for (line, scores) in zip(each.lines, expected.scores) {
      let answer = try object(line)
      for (key, value) in zip(["good", "bad"], scores) {
        let own = try #require(answer[key] as? Double)
        #expect(abs(own - value) < 1e-4 * abs(value), "\(line), \(scores)")
      }
      #expect(answer["right"] as? Bool == (scores[0] > scores[1]))
    }
    let summary = try object(try vdsq.run(["pairs", model, pairs, "--json"]).output)
    let tasks = try #require(summary["tasks"] as? [[String: Any]])
    #expect(tasks.compactMap { $0["task"] as? String } == ["agreement", "order", "anaphora"])
    for task in tasks {
      let own = try #require(task["accuracy"] as? Double)
      #expect(abs(own - expected.accuracy[task["task"] as! String]!) < 1e-9)
    }
  }

  @Test func otherFieldsAndThePage() throws {
    let model = try convert("qwen2")
    let other = try folder.write(
      Data(
        (#"{"a": "hello world", "b": "world hello", "kind": 1}"# + "\n\n"
          + #"{"a": "hello", "b": "hello", "kind": 1}"#).utf8), to: "other.jsonl")
    let page = folder.path("p.html")
    let result = try vdsq.run(
      [
        "pairs", model, other, "--good-field", "a", "--bad-field", "b", "--by", "kind", "--report",
        page, "--json",
      ])
    #expect(result.status == 0, "\(result.errors)")
    let answer = try object(result.output)
    // Equal scores are wrong.
    #expect(answer["pairs"] as? Int == 2 && (answer["right"] as? Int ?? 2) <= 1)
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(html.contains("accuracy of each task") && html.contains(">1</text>"))
    let again = try vdsq.run(["pairs", model, other, "--report", page])
    #expect(again.status == 64 && again.errors.contains("exists"), "\(again)")
  }

  @Test func budgetsHold() throws {
    let model = try convert("qwen2")
    let refused = try vdsq.run(["pairs", model, pairs, "--memory-budget", "1M"])
    #expect(refused.status == 75 && refused.errors.contains("at least"), "\(refused)")
    let plain = try vdsq.run(["pairs", model, pairs])
    let held = try vdsq.run(
      ["pairs", model, pairs, "--memory-budget", "100M", "--memory-policy", "stream"])
    #expect(held.output == plain.output, "\(held.errors)")
  }
}
