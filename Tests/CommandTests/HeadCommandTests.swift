import Foundation
import TestSupport
import Testing

/// Commands that use the head that a model was trained with.
@Suite struct HeadCommandTests {
  private let folder: TemporaryFolder
  private let vdsq = Program("vdsq")

  init() throws { folder = try TemporaryFolder() }

  private func convert(_ name: String, _ options: [String] = []) throws -> Program.Result {
    try vdsq.run(
      ["convert", try checkpoint(name), "-o", folder.path("\(name).vdsq")] + options)
  }

  private func checkpoint(_ name: String) throws -> String {
    let path = folder.path(name)
    let isThere = FileManager.default.fileExists(atPath: path)
    return isThere ? path : try HeadFixture.named(name).write(in: folder)
  }

  /// A converted model.
  private func model(_ name: String) throws -> String {
    let result = try convert(name, ["-q", "--no-bases"])
    try #require(result.status == 0, "\(result.errors)")
    return folder.path("\(name).vdsq")
  }

  @Test func classifiersAnswerWithoutLabels() throws {
    let told = try convert("bert")
    #expect(told.output.contains("trained head for NEGATIVE, neutral, very positive"))
    let model = folder.path("bert.vdsq")
    let texts = HeadFixture.file.texts.prefix(6).joined(separator: "\n") + "\n"
    let own = try vdsq.run(["classify", model, "--top", "3", "--threads", "1"], input: texts)
    #expect(own.status == 0 && own.lines.count == 6, "\(own.errors)")
    #expect(own.lines.allSatisfy { $0.contains("very positive\t") })
    // The smallest program gives the same bits.
    let small = try Program("vdsq-run").run([model, "--top", "3"], input: texts)
    #expect(small.output == own.output, "\(small.errors)")
    let json = try vdsq.run(["classify", model, "--json"], input: texts)
    #expect(json.lines.allSatisfy { $0.contains("\"logit\": ") && !$0.contains("cosine") })
    // Labels override the head, which is told.
    let labels = try vdsq.run(["classify", model, "--labels", "good,bad"], input: texts)
    #expect(labels.status == 0 && labels.errors.contains("the model's own head"))
    #expect(labels.lines.allSatisfy { $0.hasPrefix("good") || $0.hasPrefix("bad") })
    // Without its head, the checkpoint is an encoder.
    _ = try convert("bert", ["-q", "--encoder-only", "--force"])
    let none = try vdsq.run(["classify", model], input: texts)
    #expect(none.status == 64 && none.errors.contains("no classification head"))
  }

  /// Without labels, examples and adapter, the model's own head is judged; integers are its labels.
  @Test func ownHeadsAreEvaluated() throws {
    let model = try model("bert")
    let texts = HeadFixture.file.texts.prefix(6)
    func judged(_ labels: [String], _ options: [String] = []) throws -> (String?, Double?, String) {
      let lines = try zip(texts, labels).map { text, label in
        let quoted = String(
          decoding: try JSONSerialization.data(withJSONObject: [text]), as: UTF8.self)
        return "{\"text\": \(quoted.dropFirst().dropLast()), \"label\": \(label)}\n"
      }
      let test = try folder.write(Data(lines.joined().utf8), to: "t.jsonl")
      let result = try vdsq.run(["eval", model, "--test", test, "--json"] + options)
      #expect(result.status == 0, "\(result.errors)")
      let json =
        try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
      let row = (json?["rows"] as? [[String: Any]])?.first
      return (row?["method"] as? String, row?["accuracy_mean"] as? Double, result.errors)
    }
    // What the head itself answers is right.
    let answers = try vdsq.run(["classify", model], input: texts.joined(separator: "\n") + "\n")
      .lines.map { String($0.prefix { $0 != "\t" }) }
    let positive = answers.map { "\"\($0)\"" }
    let named = try judged(positive)
    #expect(named.0 == "head" && named.1 == 1)
    let indices = try judged(
      answers.map { "\(["NEGATIVE", "neutral", "very positive"].firstIndex(of: $0) ?? -1)" })
    #expect(indices.0 == "head" && indices.1 == 1)
    #expect(indices.2.contains("0 is NEGATIVE, 1 is neutral, 2 is very positive"))
    // Labels that the head does not have, or that the options name, are label words.
    #expect(try judged((0..<6).map { "\"other \($0 % 2)\"" }).0 == "zero-shot")
    let names = ["--labels", "very positive,neutral,NEGATIVE"]
    #expect(try judged(positive, names).0 == "zero-shot")
    #expect(try judged(positive, names + ["--shots", "0"]).0 == "zero-shot")
  }

  @Test func pairsFromLinesAndFields() throws {
    let model = try model("nli")
    let lines = "The capital\tIt was great\nhello\tworld\nno tab\n"
    let columns = try vdsq.run(["classify", model, "--pair", "--echo", "--json"], input: lines)
    #expect(columns.lines.count == 3 && columns.lines[0].contains("\"second\": \"It was great\""))
    #expect(columns.lines[2].contains("no tab between two texts"))
    let records = #"{"a": "The capital", "b": "It was great", "id": 7}"# + "\n"
    let fields = try vdsq.run(
      ["classify", model, "--field", "a", "--second-field", "b", "--pass", "id", "--json"],
      input: records)
    #expect(fields.lines[0].contains("\"id\": 7"), "\(fields.errors)")
    let score = try #require(
      columns.lines[0].range(of: "\"probability\": [0-9.]*", options: .regularExpression))
    #expect(fields.lines[0].contains(columns.lines[0][score]))
    let small = try Program("vdsq-run").run(
      [model, "--field", "a", "--second-field", "b", "--json"], input: records)
    #expect(small.lines[0].contains(columns.lines[0][score]), "\(small.errors)")
    for options in [
      ["--pair", "--field", "a"], ["--second-field", "b"], ["--pair", "--labels", "a,b"],
      ["--nli"], ["--multi-label", "--labels", "a,b"], ["--explain"],
    ] {
      #expect(
        try vdsq.run(["classify", model] + options, input: "a\tb\n").status == 64, "\(options)")
    }
  }

  @Test func hypotheses() throws {
    let model = try model("nli")
    let options = ["--labels", HeadFixture.file.words.joined(separator: ","), "--nli"]
    let texts = HeadFixture.file.texts.prefix(5).joined(separator: "\n") + "\n\n"
    let own = try vdsq.run(["classify", model, "--threads", "1"] + options, input: texts)
    let small = try Program("vdsq-run").run([model] + options, input: texts)
    #expect(own.status == 0 && own.lines.count == 6, "\(own.errors)")
    #expect(own.output == small.output && own.lines[5].hasPrefix("-\t"), "\(small.errors)")
    #expect(
      try vdsq.run(["classify", model, "--nli", "--labels", "a=b;c"], input: texts).errors
        .contains("has words"))
  }

  @Test func passagesAreRanked() throws {
    let model = try model("ranking")
    let passages = HeadFixture.file.texts
    let input = passages.joined(separator: "\n") + "\n"
    let all = try vdsq.run(["rerank", model, "hello world", "--all"], input: input)
    #expect(all.status == 0 && all.lines.count == passages.count, "\(all.errors)")
    let scores = all.lines.map { Float($0)! }
    let best = try vdsq.run(["rerank", model, "hello world", "--top", "5"], input: input)
    let order = scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }.prefix(5)
    #expect(best.lines.map { $0.split(separator: "\t")[1] } == order.map { "\($0 + 1)" })
    #expect(best.lines.map { $0.split(separator: "\t")[2] } == order.map { passages[$0][...] })
    let json = try vdsq.run(["rerank", model, "hello world", "--top", "1", "--json"], input: input)
    #expect(json.lines.count == 1 && json.lines[0].contains("\"line\": \(order[0] + 1)"))
    let other = try vdsq.run(["rerank", try self.model("bert"), "x"], input: input)
    #expect(other.status == 64 && other.errors.contains("no cross-encoder"))
  }

  @Test func entitiesHaveTheirPlaces() throws {
    let model = try model("tags-bert")
    let text = "naïve Café 日本語 hello"
    let plain = try vdsq.run(["tag", model, "--aggregation", "none"], input: "\n\(text)\n")
    #expect(plain.status == 0 && !plain.lines.isEmpty, "\(plain.errors)")
    for line in plain.lines {
      let columns = line.split(separator: "\t")
      let range = Int(columns[1])!..<Int(columns[2])!
      let scalars = Array(text.unicodeScalars)[range].map { String($0) }.joined()
      #expect(columns[0] == "2" && columns[5] == scalars[...])
    }
    let json = try vdsq.run(["tag", model, "--json", "--echo"], input: "\(text)\n")
    #expect(json.lines.count == 1 && json.lines[0].contains("\"start_byte\": "))
    let texts = try vdsq.run(["classify", model], input: text)
    #expect(texts.status == 64 && texts.errors.contains("vdsq tag"))
  }
}
