import Foundation
import TestSupport
import Testing

/// `eval`, and examples in formats other than JSON Lines.
@Suite struct EvaluationCommandTests {
  private let folder: TemporaryFolder
  private let model: String
  private let vdsq = Program("vdsq")

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path("m.vdsq")
    _ = try vdsq.run(["convert", Fixtures.path("bert-mean"), "-o", model, "-q"])
  }

  private let texts = [
    ("hello world", "greeting"), ("hello café", "greeting"), ("hello", "greeting"),
    ("stop now", "order"), ("stop the world", "order"), ("stop, \"please\"", "order"),
  ]

  private func write(_ form: String) throws -> String {
    let lines: [String]
    switch form {
    case "csv":
      lines =
        ["id,label,text"]
        + texts.enumerated().map { i, t in
          "\(i),\(t.1),\"\(t.0.replacingOccurrences(of: "\"", with: "\"\""))\""
        }
    case "tsv": lines = ["text\tlabel"] + texts.map { "\($0.0)\t\($0.1)" }
    default:
      lines = try texts.map {
        String(
          decoding: try JSONSerialization.data(withJSONObject: ["text": $0.0, "label": $0.1]),
          as: UTF8.self)
      }
    }
    let end = form == "csv" ? "\r\n" : "\n"
    return try folder.write(Data((lines.joined(separator: end) + end).utf8), to: "x.\(form)")
  }

  @Test func everyFormIsTheSameExamples() throws {
    var adapters: [Data] = []
    for form in ["jsonl", "csv", "tsv"] {
      let path = folder.path("\(form).vdsa")
      let result = try vdsq.run(["adapt", model, try write(form), "-o", path, "-q"])
      #expect(result.status == 0, "\(result.errors)")
      adapters.append(try Data(contentsOf: URL(fileURLWithPath: path)))
    }
    #expect(adapters[0] == adapters[1] && adapters[0] == adapters[2])
  }

  @Test(arguments: [
    ("text,label\n\"a,b\n", "quote"), ("text,label\na\n", "1 fields"), ("", "empty"),
    ("text,name\na,b\n", "text, name"), ("text,label\na,\n", "label is empty"),
    ("text,label\n", "no examples"), ("text,label\n\u{FFFD}\u{0},b,c\n", "3 fields"),
  ])
  func tablesThatAreWrong(_ text: String, _ word: String) throws {
    let path = try folder.write(Data(text.utf8), to: "bad.csv")
    let result = try vdsq.run(["adapt", model, path, "-o", folder.path("a.vdsa")])
    #expect(result.status == 65 && result.errors.contains(word), "\(result.errors)")
  }

  @Test func figuresAsJSONTableAndPage() throws {
    let examples = try write("csv")
    let page = folder.path("e.html")
    let arguments = [
      "eval", model, "--test", examples, "--train", examples, "--labels",
      "greeting=hello,hi;order=stop,now", "--shots", "0,1,3", "--seeds", "3",
    ]
    let result = try vdsq.run(arguments + ["--json", "--report", page])
    #expect(result.status == 0, "\(result.errors)")
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    let rows = try #require(json["rows"] as? [[String: Any]])
    #expect(rows.map { $0["shots"] as? Int } == [0, 1, 3])
    #expect(rows.map { $0["seeds"] as? Int } == [1, 3, 3])
    #expect(rows.map { $0["method"] as? String } == ["zero-shot", "joint", "joint"])
    for row in rows {
      for key in ["accuracy_mean", "macro_f1", "ece"] {
        let value = try #require(row[key] as? Double)
        #expect(value >= 0 && value <= 1)
      }
      let confusion = try #require(row["confusion"] as? [[Int]])
      #expect(confusion.joined().reduce(0, +) == 6 * (row["seeds"] as? Int ?? 0))
    }
    // All three of each label, on which it is measured.
    #expect(try #require(rows[2]["accuracy_mean"] as? Double) > 0.8)
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(html.contains("learning curve") && html.contains("confusion matrix"))
    let again = try vdsq.run(arguments + ["--json"])
    #expect(again.output == result.output, "the same seeds, the same figures")
    // Rows of both tables; the empty line between them is left out.
    #expect(try vdsq.run(arguments).lines.filter { !$0.isEmpty }.count == 4 + 5)
    let adapter = folder.path("a.vdsa")
    _ = try vdsq.run(["adapt", model, examples, "-o", adapter, "-q"])
    let adapted = try vdsq.run(["eval", model, "--test", examples, "--adapter", adapter])
    #expect(adapted.status == 0 && adapted.lines.filter { !$0.isEmpty }.count == 2 + 5)
  }

  /// Another model, and an adapter, on the same texts.
  @Test func comparisons() throws {
    let examples = try write("csv")
    let (adapter, other) = (folder.path("a.vdsa"), folder.path("other.vdsq"))
    _ = try vdsq.run(["adapt", model, examples, "-o", adapter, "-q"])
    _ = try vdsq.run(["convert", Fixtures.path("bert-cls-f16"), "-o", other, "-q"])
    func compared(_ arguments: [String]) throws -> [[String: Any]] {
      let result = try vdsq.run(
        ["eval", model, "--test", examples, "--json", "-q"] + arguments)
      #expect(result.status == 0, "\(result.errors)")
      let json = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
      return try #require((json as? [String: Any])?["rows"] as? [[String: Any]]).map {
        try #require($0["comparison"] as? [String: Any])
      }
    }
    // An adapter against itself, the label words against it, and all rows of another model.
    let same = try compared(["--adapter", adapter, "--compare", adapter])
    #expect(same.count == 1 && same[0]["difference"] as? Double == 0)
    #expect(same[0]["excludes_zero"] as? Bool == false)
    let train = ["--train", examples, "--shots", "0,2", "--seeds", "2"]
    #expect(try compared(train + ["--compare", adapter]).count == 2)
    let rows = try compared(train + ["--compare", other])
    #expect(rows.map { $0["interval_method"] as? String } == ["score", "bootstrap"])
    let otherAdapter = folder.path("b.vdsa")
    _ = try vdsq.run(["adapt", other, examples, "-o", otherAdapter, "-q"])
    let both = ["--adapter", adapter, "--compare", other, "--compare", otherAdapter]
    #expect(try compared(both).count == 1)
    for (wrong, status) in [
      (["--compare", model, "--compare", other], 64), (["--compare", folder.path("absent")], 66),
      (["--compare", examples], 65), (["--adapter", adapter, "--compare", otherAdapter], 65),
    ] as [([String], Int32)] {
      #expect(try vdsq.run(["eval", model, "--test", examples] + wrong).status == status)
    }
  }

  /// Texts with any number of labels, in both programs.
  @Test func severalLabels() throws {
    let lines = ["stop": ["order"], "hello": ["greeting"], "stop hello": ["order", "greeting"]]
      .flatMap { word, labels in
        ["now", "world", "is", "the", "yes", "twelve"].map { other in
          let names = labels.map { "\"\($0)\"" }.joined(separator: ", ")
          return "{\"text\": \"\(word) \(other)\", \"labels\": [\(names)]}\n"
        }
      }.sorted()
    let path = try folder.write(Data(lines.joined().utf8), to: "several.jsonl")
    let adapter = folder.path("several.vdsa")
    let adapted = try vdsq.run(["adapt", model, path, "--multi-label", "-o", adapter, "-q"])
    #expect(adapted.status == 0, "\(adapted.errors)")
    let judge = ["eval", model, "--test", path, "--multi-label", "-q"]
    let result = try vdsq.run(judge + ["--adapter", adapter, "--json"])
    let json =
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
    #expect(json?["texts"] as? Int == 18, "\(result.errors)")
    #expect((json?["micro_mean"] as? [String: Double])?["f1"] ?? 0 > 0.8)
    #expect((json?["per_label"] as? [[String: Any]])?.count == 2)
    let trained = try vdsq.run(judge + ["--train", path])
    #expect(trained.status == 0 && trained.lines.contains { $0.hasPrefix("micro mean") })
    let input = "stop world hello\n\nstop\n"
    let answers = try vdsq.run(["classify", model, "--adapter", adapter], input: input)
    #expect(answers.status == 0 && answers.lines.count >= 2)
    #expect(answers.lines[0].split(separator: "\t").count == 4)
    #expect(
      try Program("vdsq-run").run([model, "--adapter", adapter], input: input).output
        == answers.output)
    let objects = try vdsq.run(
      ["classify", model, "--adapter", adapter, "--json", "--top", "2"], input: "stop\n")
    #expect(objects.output.contains("\"labels\": [\"order\""), "\(objects.output)")
    #expect(objects.output.contains("\"threshold\": "))
    for wrong in [
      ["eval", model, "--test", path, "--multi-label"],
      judge + ["--adapter", adapter, "--shots", "1"],
      judge + ["--adapter", adapter, "--compare", adapter],
      ["classify", model, "--adapter", adapter, "--explain"],
      ["adapt", model, path, "--multi-label", "-o", folder.path("b"), "--method", "knn"],
      ["review", model, try write("csv"), "--adapter", adapter],
    ] { #expect(try vdsq.run(wrong, input: "stop\n").status == 64, "\(wrong)") }
  }

  @Test func predictionsAreWritten() throws {
    let examples = try write("csv")
    let path = folder.path("p.csv")
    let arguments = ["eval", model, "--test", examples, "-q", "--predictions"]
    #expect(try vdsq.run(arguments + [path]).status == 0)
    let written = try String(contentsOfFile: path, encoding: .utf8)
    #expect(written.components(separatedBy: "\r\n").count == texts.count + 2)
    #expect(written.contains("\"stop, \"\"please\"\"\",order,"))
    #expect(try vdsq.run(arguments + [path]).status == 64, "not replaced unasked")
    #expect(try vdsq.run(arguments + [path, "--force"]).status == 0)
    #expect(try vdsq.run(arguments + [folder.path("p.tsv")]).status == 64)
    // What was written can be classified again.
    #expect(try vdsq.run(["eval", model, "--test", path, "-q"]).status == 0)
  }

  @Test func evaluationsThatMeanNothing() throws {
    let examples = try write("csv")
    for wrong in [
      ["--shots", "1"], ["--shots", "x", "--train", examples], ["--seeds", "0"],
      ["--shots", "-1", "--train", examples], ["--shots", ""],
    ] {
      #expect(try vdsq.run(["eval", model, "--test", examples] + wrong).status == 64)
    }
    #expect(try vdsq.run(["eval", model, "--test", folder.path("absent")]).status == 66)
    let other = try vdsq.run(["eval", model, "--test", examples, "--labels", "a,b"])
    #expect(other.status == 65 && other.errors.contains("not among the labels"))
  }

  @Test func reviewsListWhatIsDoubtful() throws {
    let examples = try write("jsonl")
    let arguments = ["review", model, examples, "--minimum", "0", "-q"]
    let lines = try vdsq.run(arguments).lines.map { $0.components(separatedBy: "\t") }
    #expect(lines.count == texts.count)
    #expect(lines.allSatisfy { $0.count == 5 })
    let probabilities = lines.compactMap { Double($0[0]) }
    #expect(probabilities == probabilities.sorted(by: >))
    for line in lines {
      let example = texts[try #require(Int(line[1])) - 1]
      #expect(line[4] == example.0 && line[2] == example.1 && line[3] != example.1)
    }
    // Blank lines count.
    let contents = try Data(contentsOf: URL(fileURLWithPath: examples))
    let shifted = try folder.write(Data("\n\n".utf8) + contents, to: "shifted.jsonl")
    let later = try vdsq.run(["review", model, shifted, "--minimum", "0", "-q"]).lines
    #expect(
      later.map { Int($0.split(separator: "\t")[1]) } == lines.map { Int($0[1]).map { $0 + 2 } })
    let json = try vdsq.run(arguments + ["--json", "--limit", "1"])
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect(object["text"] as? String == lines[0][4])
    let adapter = folder.path("r.vdsa")
    _ = try vdsq.run(["adapt", model, examples, "-o", adapter, "-q"])
    let adapted = try vdsq.run(arguments + ["--adapter", adapter])
    #expect(adapted.status == 0 && adapted.lines.count == texts.count)
    for wrong in [
      ["--minimum", "2"], ["--limit", "0"], ["--adapter", adapter, "--labels", "a,b"],
    ] {
      #expect(try vdsq.run(arguments + wrong).status == 64)
    }
    let single = try folder.write(Data("text,label\na,x\nb,y\n".utf8), to: "single.csv")
    let refused = try vdsq.run(["review", model, single])
    #expect(refused.status == 64 && refused.errors.contains("held out"))
  }
}
