import Foundation
import TestSupport
import Testing

/// `vdsq score`: forms of input and output, totals, failures.
@Suite struct ScoreCommandTests {
  private let folder: TemporaryFolder
  private let vdsq = Program("vdsq")
  private let model: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path("m.vdsq")
    let result = try Program("vdsq").run(
      ["convert", Fixtures.path("language-models/qwen2"), "-o", model, "-q", "--weights", "fp32"])
    #expect(result.status == 0, "\(result.errors)")
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  /// The same texts have the same scores as lines, as JSON Lines and as a document.
  @Test func formsOfInputAgree() throws {
    let plain = try vdsq.run(
      ["score", model, "--threads", "2"], input: "hello world\nhello\n\n")
    #expect(plain.status == 0 && plain.lines.count == 3, "\(plain.errors)")
    #expect(plain.lines[2] == "0.000000\t0")
    let columns = plain.lines[0].split(separator: "\t")
    #expect(columns.count == 2 && Double(columns[0])! < 0)
    let json = try vdsq.run(
      ["score", model, "--json", "--field", "t", "--per-token", "--pass", "id"],
      input: #"{"t": "hello world", "id": 7}"# + "\n")
    let answer = try object(json.output)
    #expect(abs((answer["logprob"] as? Double ?? 0) - Double(columns[0])!) < 1e-4)
    #expect(answer["words"] as? Int == 2 && answer["bytes"] as? Int == 11)
    #expect(answer["id"] as? Int == 7)
    let tokens = try #require(answer["token_logprobs"] as? [[String: Any]])
    #expect(tokens.count == answer["tokens"] as? Int)
    #expect(tokens.map { $0["token"] as? String ?? "" }.joined() == "hello world")
    let sum = tokens.reduce(0) { $0 + ($1["logprob"] as? Double ?? 0) }
    #expect(abs(sum - (answer["logprob"] as? Double ?? 0)) < 1e-4)
    let path = try folder.write(Data("hello world".utf8), to: "document")
    let document = try object(
      try vdsq.run(["score", model, "--document", path, "--json"]).output)
    #expect(abs((document["logprob"] as? Double ?? 0) - sum) < 1e-4)
    #expect(document["texts"] as? Int == 1)
    let totals = try object(
      try vdsq.run(["score", model, "--totals", "--json"], input: "hello world\nhello\n").output)
    #expect(totals["texts"] as? Int == 2 && totals["words"] as? Int == 3)
  }

  @Test func pairsAreScored() throws {
    let lines = try vdsq.run(["score", model, "--pair"], input: "hello\t world\nhello \tworld\n")
    #expect(lines.status == 0 && lines.lines.count == 2, "\(lines.errors)")
    // The space belongs to the continuation, wherever it stands.
    #expect(lines.lines[0] == lines.lines[1] && lines.lines[0].hasSuffix("\t-"))
    // A pair without a continuation fails alone.
    let some = try vdsq.run(
      ["score", model, "--field", "a", "--second-field", "b", "--json"],
      input: """
        {"a": "hello", "b": " world"}
        {"a": "hello", "b": ""}
        {"a": "hello"}
        {"a": "hello", "b": " world"}

        """)
    #expect(some.status == 0 && some.lines.count == 4, "\(some.errors)")
    #expect(some.lines[0] == some.lines[3])
    #expect(some.lines[1].contains("no tokens of its own"))
    #expect(
      some.lines[2].contains("no field b") || some.lines[2].contains("no text in the field b"))
    #expect(some.errors.contains("2 of 4 records failed"))
    let long = try vdsq.run(
      ["score", model, "--pair", "--max-tokens", "4"],
      input: "hello hello hello\t world\nhello\t world world world world world\n")
    #expect(long.lines.count == 1 && long.errors.contains("is longer than 4"), "\(long)")
    #expect(long.errors.contains("1 of 1 text cut to 4 tokens"))
    let strict = try vdsq.run(
      ["score", model, "--pair", "--strict"], input: "hello\t world\nhello\t\nhello\t world\n")
    #expect(strict.status == 65 && strict.lines.count == 1)
    #expect(strict.errors.contains("line 2"))
  }

  /// Without a token of the beginning, whole texts are refused, and pairs are not.
  @Test func theBeginningIsNeverGuessed() throws {
    let checkpoint = folder.path("checkpoint")
    try FileManager.default.copyItem(
      atPath: Fixtures.path("language-models/qwen2"), toPath: checkpoint)
    try Data(#"{"tokenizer_class": "Qwen2Tokenizer", "eos_token": null}"#.utf8).write(
      to: URL(fileURLWithPath: "\(checkpoint)/tokenizer_config.json"))
    let copy = folder.path("copy.vdsq")
    #expect(try vdsq.run(["convert", checkpoint, "-o", copy, "-q"]).status == 0)
    let text = try vdsq.run(["score", copy], input: "hello\n")
    #expect(text.status == 65 && text.errors.contains("convert the checkpoint again"), "\(text)")
    let pair = try vdsq.run(["score", copy, "--pair"], input: "hello\t world\n")
    #expect(pair.status == 0 && pair.lines.count == 1, "\(pair.errors)")
  }

  @Test func budgetsHold() throws {
    let refused = try vdsq.run(["score", model, "--memory-budget", "1M"], input: "hello\n")
    #expect(refused.status == 75 && refused.errors.contains("at least"), "\(refused)")
    let plain = try vdsq.run(["score", model], input: "hello world\n")
    for policy in ["resident", "release", "stream"] {
      let same = try vdsq.run(
        ["score", model, "--memory-policy", policy, "--memory-budget", "100M"],
        input: "hello world\n")
      #expect(same.output == plain.output, "\(policy): \(same.errors)")
    }
  }
}
