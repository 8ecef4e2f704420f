import Foundation
import TestSupport
import Testing

/// `--prompt` and `--dimensions` of the commands that run a sentence encoder.
@Suite struct PromptCommandTests {
  private let folder: TemporaryFolder
  private let vdsq = Program("vdsq")
  private let checkpoint = SentenceModulesFile.shared.models.first { $0.name == "decoder" }!

  init() throws {
    folder = try TemporaryFolder()
    let result = try vdsq.run(
      ["convert", try checkpoint.write(to: folder), "-o", folder.path("m.vdsq"), "-q"]
        + ["--weights", "fp32"])
    try #require(result.status == 0, "\(result.errors)")
  }

  private var input: String {
    SentenceModulesFile.shared.texts.map { $0 + "\n" }.joined()
  }

  private func vectors(_ options: [String]) throws -> [[Float]] {
    let result = try vdsq.run(["embed", folder.path("m.vdsq")] + options, input: input)
    try #require(result.status == 0, "\(result.errors)")
    return try result.lines.map {
      let object = try JSONSerialization.jsonObject(with: Data($0.utf8)) as! [String: Any]
      return (object["embedding"] as! [NSNumber]).map(\.floatValue)
    }
  }

  @Test func embeddings() throws {
    for (ours, expected) in [
      (try vectors([]), checkpoint.vectors),
      (try vectors(["--prompt", "passage"]), checkpoint.prompted["passage"]!),
      (try vectors(["--dimensions", "12"]), checkpoint.short!),
    ] {
      #expect(zip(ours, expected).allSatisfy { relativeError($0, $1) < 1e-3 })
    }
    let wrong = try vdsq.run(["embed", folder.path("m.vdsq"), "--prompt", "p"], input: "a\n")
    #expect(wrong.status == 64)
    for part in ["--prompt: ", "query", "passage", "none"] {
      #expect(wrong.errors.contains(part), "\(wrong.errors)")
    }
    let long = try vdsq.run(["embed", folder.path("m.vdsq"), "--dimensions", "99"], input: "a\n")
    #expect(long.status == 64 && long.errors.contains("--dimensions: 99 dimensions"))
  }

  @Test func classificationIsThatOfTheSmallestProgram() throws {
    let labels = ["--labels", "hello,world"]
    for options in [[], ["--prompt", "passage"], ["--dimensions", "8"]] {
      let ours = try vdsq.run(
        ["classify", folder.path("m.vdsq"), "--threads", "1"] + labels + options, input: input)
      let small = try Program("vdsq-run").run(
        [folder.path("m.vdsq")] + labels + options, input: input)
      #expect(ours.status == 0 && ours.output == small.output, "\(ours.errors)\(small.errors)")
    }
  }

  /// Training, learning, plans and measurements take the options too.
  @Test func otherCommands() throws {
    let model = folder.path("m.vdsq"), adapter = folder.path("a.vdsa")
    let examples = ["hello", "world"].flatMap { label in
      (0..<6).map { "{\"text\": \"\(label) \($0)\", \"label\": \"\(label)\"}\n" }
    }.joined()
    let file = try folder.write(Data(examples.utf8), to: "examples.jsonl")
    let options = ["--prompt", "passage", "--dimensions", "16"]
    for command in [
      ["adapt", model, file, "-o", adapter], ["eval", model, "--test", file],
      ["plan", model], ["plan", model, "--for", "vdsq-run"],
      ["learn", model, folder.path("l.vdsa"), "--labels", "hello,world"],
    ] {
      let isLearning = command[0] == "learn"
      let result = try vdsq.run(command + options, input: isLearning ? examples : "")
      #expect(result.status == 0, "\(command): \(result.errors)")
    }
    for path in [adapter, folder.path("l.vdsa")] {
      let inspected = try vdsq.run(["inspect", path])
      #expect(inspected.output.contains("passage"), "\(inspected.output)")
      let run = ["classify", model, "--adapter", path]
      let plain = try vdsq.run(run, input: input)
      #expect(plain.status == 0 && plain.lines.count == 4, "\(plain.errors)")
      #expect(try vdsq.run(run + options, input: input).output == plain.output)
      #expect(try vdsq.run(run + ["--prompt", "query"], input: input).status == 64)
      #expect(
        try Program("vdsq-run").run([model, "--adapter", path], input: input).output
          == plain.output)
    }
    // What was learned goes on with its own prompt.
    let more = try vdsq.run(["learn", model, folder.path("l.vdsa")], input: examples)
    #expect(more.status == 0, "\(more.errors)")
  }
}
