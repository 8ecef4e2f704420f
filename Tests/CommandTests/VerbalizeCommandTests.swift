import Foundation
import TestSupport
import Testing

/// `vdsq verbalize` against transformers with answers that are constrained token by token
/// (Tools/reference/make_verbalize.py), its files, and what it refuses.
@Suite struct VerbalizeCommandTests {
  private struct Golden: Decodable {
    struct Example: Codable {
      let text, label: String
    }
    struct Options: Decodable {
      let validation: Double
      let batch, epochs, explanation: Int
      let keeps_best: Bool
    }
    struct Step: Decodable {
      let batch, held_out: Double
      let description: String
    }
    struct Result: Decodable {
      let held_out_first, held_out: Double
      let description: String
      let steps: [Step]
    }
    struct Run: Decodable {
      let examples: [Example]
      let options: Options
      let result: Result
    }
    let length: Int
    let runs: [Run]

    static let all = try! Fixtures.json("verbalize.json", as: Golden.self)
  }

  private let folder: TemporaryFolder
  private let vdsq = Program("vdsq")
  private let model: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path("chat.vdsq")
    let result = try vdsq.run(
      [
        "convert", try ChatCheckpoint.write(in: folder), "-o", model, "-q", "--weights", "fp32",
      ])
    try #require(result.status == 0, "\(result.errors)")
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func write(_ examples: [Golden.Example], to name: String) throws -> String {
    let lines = try examples.map {
      String(decoding: try JSONEncoder().encode($0), as: UTF8.self) + "\n"
    }
    return try folder.write(Data(lines.joined().utf8), to: name)
  }

  @Test(arguments: Golden.all.runs.indices) func theLoopIsThatOfTheReference(
    _ index: Int
  ) throws {
    let run = Golden.all.runs[index], options = run.options
    let examples = try write(run.examples, to: "examples.jsonl")
    let result = try vdsq.run(
      [
        "verbalize", model, examples, "--json", "-q", "--context", "8192", "--temperature", "0",
        "--length", "\(Golden.all.length)", "--validation", "\(options.validation)", "--batch",
        "\(options.batch)", "--epochs", "\(options.epochs)", "--explanation",
        "\(options.explanation)",
      ] + (options.keeps_best ? ["--keep-best"] : []))
    try #require(result.status == 0, "\(result.errors)")
    let own = try JSONDecoder().decode(Golden.Result.self, from: Data(result.output.utf8))
    #expect(own.steps.count == run.result.steps.count)
    #expect(own.description == run.result.description)
    func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-4 * max(1, abs(b)) }
    #expect(isClose(own.held_out_first, run.result.held_out_first))
    #expect(isClose(own.held_out, run.result.held_out))
    for (step, expected) in zip(own.steps, run.result.steps) {
      #expect(step.description == expected.description)
      #expect(isClose(step.batch, expected.batch) && isClose(step.held_out, expected.held_out))
    }
  }

  /// The written description is read again, and judged without learning.
  @Test func descriptionsAreFiles() throws {
    let run = Golden.all.runs[0]
    let examples = try write(run.examples, to: "examples.jsonl")
    let file = folder.path("rule.txt")
    let common = ["verbalize", model, examples, "--json", "-q", "--context", "8192"]
    let learned = try vdsq.run(
      common + ["--length", "20", "-o", file, "--test", examples, "--seed", "3"])
    #expect(learned.status == 0, "\(learned.errors)")
    let description = try #require(object(learned.output)["description"] as? String)
    #expect(try String(contentsOfFile: file, encoding: .utf8) == description + "\n")
    let test = try #require(object(learned.output)["test"] as? [String: Any])
    #expect(test["texts"] as? Int == run.examples.count)
    // Four of seven examples do not have the most frequent label.
    #expect(abs((try #require(test["constant"] as? Double)) - 4.0 / 7) < 1e-9)
    let judged = try vdsq.run(
      common + ["--description-file", file, "--epochs", "0", "--test", examples])
    #expect(judged.status == 0, "\(judged.errors)")
    let again = try #require(object(judged.output)["test"] as? [String: Any])
    #expect(again["loss"] as? Double == test["loss"] as? Double)
    #expect(try object(judged.output)["description"] as? String == description)
    // The same seed gives the same description; another one may not.
    let repeated = try vdsq.run(common + ["--length", "20", "--test", examples, "--seed", "3"])
    #expect(try object(repeated.output)["description"] as? String == description)
    let exists = try vdsq.run(common + ["-o", file])
    #expect(exists.status == 64 && exists.errors.contains("--force"), "\(exists.errors)")
  }

  /// JSON numbers with fractions are targets of a regression; integers are classes unless asked.
  @Test func numbersAreTargets() throws {
    let numbers = try folder.write(
      Data(#"{"text": "a", "label": 1.5}\#n{"text": "b", "label": -20}\#n"#.utf8),
      to: "numbers.jsonl")
    let run = ["verbalize", model, numbers, "--json", "-q", "--epochs", "0", "--context", "2048"]
    let result = try vdsq.run(run + ["--validation", "0", "--test", numbers])
    #expect(result.status == 0, "\(result.errors)")
    #expect(try object(result.output)["measure"] as? String == "mean squared error")
    let test = try #require(object(result.output)["test"] as? [String: Any])
    // The mean is -9.25, 10.75 away from both.
    #expect(abs((try #require(test["constant"] as? Double)) - 10.75 * 10.75) < 1e-9)
    let integers = try folder.write(
      Data(#"{"text": "a", "label": 1}\#n{"text": "b", "label": 2}\#n"#.utf8), to: "integers.jsonl")
    for (task, measure) in [([], "share of wrong answers"), (["--task", "regression"], "mean squared error")] {
      let result = try vdsq.run(
        ["verbalize", model, integers, "--json", "-q", "--epochs", "0", "--context", "2048"] + task)
      #expect(try object(result.output)["measure"] as? String == measure, "\(result.errors)")
    }
  }

  @Test func whatItRefuses() throws {
    let examples = try write(Golden.all.runs[0].examples, to: "examples.jsonl")
    let one = try write([Golden.Example(text: "a", label: "b")], to: "one.jsonl")
    let blank = try folder.write(Data(" \n".utf8), to: "blank.txt")
    let plain = folder.path("plain.vdsq")
    let converted = try vdsq.run(
      ["convert", Fixtures.path("language-models/gpt2"), "-o", plain, "-q"])
    #expect(converted.status == 0, "\(converted.errors)")
    for (arguments, status, message) in [
      ([model, one], 65, "two are needed"),
      ([model, examples, "--task", "regression"], 65, "no decimal number"),
      ([model, examples, "--test", one], 65, "no answer that training texts have"),
      ([model, examples, "--description-file", blank], 65, "nothing to read"),
      ([model, examples, "--description", "a", "--description-file", blank], 64, "exclude"),
      ([model, examples, "--context", "40"], 65, "leaves no room"),
      ([model, examples, "--length", "2"], 64, "--length"),
      ([plain, examples], 64, "no chat template"),
    ] as [([String], Int32, String)] {
      let result = try vdsq.run(["verbalize"] + arguments + ["-q"])
      #expect(result.status == status && result.errors.contains(message), "\(arguments): \(result)")
    }
  }
}
