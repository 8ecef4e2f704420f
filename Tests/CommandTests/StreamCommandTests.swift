import Foundation
import TestSupport
import Testing

/// Streams of records, of which some are broken, and what is told of texts that were changed.
@Suite struct StreamCommandTests {
  private let folder: TemporaryFolder
  private let model: String
  private let vdsq = Program("vdsq")
  private let vdsqRun = Program("vdsq-run")

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path("m.vdsq")
    _ = try vdsq.run(["convert", Fixtures.path("bert-mean"), "-o", model, "-q"])
  }

  /// Both programs must answer alike, up to their names on standard error.
  private func classify(
    _ options: [String], _ input: Data, labels: [String] = ["--labels", "hello,stop"]
  ) throws -> Program.Result {
    let ours = try vdsq.run(["classify", model] + labels + options, input: input)
    let theirs = try vdsqRun.run([model] + labels + options, input: input)
    #expect(ours.output == theirs.output && ours.status == theirs.status)
    #expect(ours.errors == theirs.errors.replacingOccurrences(of: "vdsq-run: ", with: "vdsq: "))
    return ours
  }

  private func classify(
    _ options: [String], _ input: String, labels: [String] = ["--labels", "hello,stop"]
  ) throws -> Program.Result {
    try classify(options, Data(input.utf8), labels: labels)
  }

  private func objects(_ result: Program.Result) throws -> [[String: Any]] {
    try result.lines.map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  private let records = """
    {"id": 1, "meta": {"at": "x\\ty"}, "message": {"body": "hello"}}
    {"id": 2, "message": {"body": null}}
    {bad

    {"id": 3, "meta": {"at": [1, {"b": 2}]}, "message": {"body": "stop \\u00e9\\n"}}
    {"id": 4}

    """

  @Test func brokenRecordsFailAlone() throws {
    let text = try classify(["--field", "message.body"], records)
    #expect(text.status == 0 && text.lines.count == 2, "\(text.errors)")
    #expect(
      text.errors.split(separator: "\n") == [
        "vdsq: line 2: no text in the field message.body: it is null",
        "vdsq: line 3: malformed JSON at byte 1: a key is missing",
        "vdsq: line 6: no text in the field message.body", "vdsq: 3 of 5 records failed",
      ])
    let json = try classify(
      ["--field", "message.body", "--pass", "id,meta.at,key=id", "--json", "--echo"], records)
    let answers = try objects(json)
    #expect(json.status == 0 && json.errors == "vdsq: 3 of 5 records failed\n")
    #expect(answers.map { $0["line"] as? Int } == [1, 2, 3, 5, 6])
    #expect(answers.map { $0["id"] as? Int } == [1, 2, nil, 3, 4])
    #expect(answers.map { $0["key"] as? Int } == [1, 2, nil, 3, 4])
    #expect(answers.map { $0["error"] == nil } == [true, false, false, true, false])
    #expect(answers.map { $0["label"] as? String } == ["hello", nil, nil, "stop", nil])
    #expect(answers[0]["meta.at"] as? String == "x\ty" && answers[0]["text"] as? String == "hello")
    #expect(json.lines[3].contains("\"meta.at\": [1, {\"b\": 2}], "))
    #expect(answers[1]["meta.at"] is NSNull)
    #expect(answers[3]["text"] as? String == "stop é\n")
  }

  @Test func columnsThatIdentifyRecords() throws {
    let result = try classify(
      ["--field", "message.body", "--pass", "id,meta.at", "--echo", "--top", "2"], records)
    let columns = result.lines.map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
    #expect(columns.map(\.count) == [8, 8])
    #expect(columns[0][4...] == ["1", "hello", "1", "x\\ty"])
    #expect(columns[1][4...] == ["5", "stop é\\n", "3", "[1, {\"b\": 2}]"])
    let lines = try classify(["--echo"], "a\tb\nc\\d\n")
    #expect(
      lines.lines.map { $0.split(separator: "\t").suffix(2) } == [
        ["1", "a\\tb"], ["2", "c\\\\d"],
      ])
  }

  /// What is due is written before a strict program stops.
  @Test func strictStopsBehindTheAnswers() throws {
    let bytes = Data("hello\nstop\n".utf8) + [0xFF, 10] + Data("hello\n".utf8)
    let text = try classify(["--strict"], bytes)
    #expect(text.status == 65 && text.lines.count == 2)
    #expect(text.errors == "vdsq: line 3: the text is not valid UTF-8\n")
    let json = try classify(["--strict", "--json", "--field", "message.body"], records)
    #expect(json.status == 65 && json.lines.count == 2 && json.lines[1].contains("\"error\""))
  }

  @Test(arguments: [
    "{}", "[]", "null", "7", "\"a\"", "{\"a\": 1}", "{\"a\": false}", "{\"a\": {}}",
    "{\"a\": \"\u{1}\"}",
    "{\"a\": \"x\"} x", "{\"a\": \"x\", \"a\": \"x\"}",
  ])
  func streamsOfBrokenRecordsFail(_ record: String) throws {
    let result = try classify(["--field", "a"], record + "\n" + record + "\n")
    #expect(result.status == 65 && result.output.isEmpty)
    #expect(result.errors.hasPrefix("vdsq: line 1: "))
    #expect(result.errors.hasSuffix("vdsq: 0 of 2 records could be read\n"))
  }

  @Test func optionsThatNeedOthers() throws {
    for options in [
      ["--pass", "id"], ["--field", "a", "--pass", "id,id"], ["--field", "a."],
      ["--field", "a", "--json", "--pass", "label"],
      ["--field", "a", "--json", "--echo", "--pass", "text"],
    ] { #expect(try classify(options, "x\n").status == 64, "\(options)") }
    #expect(try classify(["--field", "a", "--pass", "label"], "{\"a\": \"hello\"}").status == 0)
    #expect(
      try classify(["--field", "a", "--pass", "x=label", "--json"], "{\"a\": \"hello\"}").status
        == 0)
  }

  @Test func vectorsAndLogits() throws {
    let field = ["--field", "message.body", "--pass", "id"]
    let embedded = try objects(try vdsq.run(["embed", model] + field, input: records))
    #expect(embedded.map { $0["id"] as? Int } == [1, 2, nil, 3, 4])
    #expect(embedded.map { $0["embedding"] != nil } == [true, false, false, true, false])
    let tokens = try objects(try vdsq.run(["embed", model, "--tokens"] + field, input: records))
    #expect(tokens.map { $0["tokens"] != nil } == [true, false, false, true, false])
    let npy = try vdsq.run(
      ["embed", model, "--field", "message.body", "-o", folder.path("x.npy")], input: records)
    #expect(npy.status == 0 && npy.errors.contains("3 of 5 records failed"))
    let data = try Data(contentsOf: URL(filePath: folder.path("x.npy")))
    let length = embedded[0]["embedding"].map { ($0 as? [Any])?.count ?? 0 } ?? 0
    let rows = data.suffix(5 * 4 * length).withUnsafeBytes { bytes in
      (0..<5).map { bytes.loadUnaligned(fromByteOffset: $0 * 4 * length, as: Float.self) }
    }
    #expect(rows.map(\.isNaN) == [false, true, true, false, true])
    let logits = try objects(
      try vdsq.run(["logits", model, "--json"] + field, input: records))
    #expect(logits.map { $0["tokens"] != nil } == [true, false, false, true, false])
    let plain = try vdsq.run(["logits", model, "--top", "1"] + field, input: records)
    #expect(plain.lines.map { $0.split(separator: "\t").last } == ["1", "3"])
    #expect(plain.errors.contains("vdsq: 3 of 5 records failed"))
  }

  @Test func learningGoesOn() throws {
    let adapter = folder.path("a.vdsa")
    let input = """
      {"text": "hello", "label": "a"}
      {"text": "hello"}
      {"text": "hello", "label": "c"}
      {"text": 1, "label": "a"}
      {"text": "stop", "label": "b"}

      """
    let arguments = ["learn", model, adapter, "--labels", "a,b"]
    let text = try vdsq.run(arguments, input: input)
    #expect(
      text.status == 0 && text.lines.map { $0.prefix(3) } == ["1\ta", "2\tb"], "\(text.errors)")
    #expect(
      text.errors.split(separator: "\n").map { $0.prefix(13) } == [
        "vdsq: line 2:", "vdsq: line 3:", "vdsq: line 4:", "vdsq: 3 of 5 ",
      ])
    let json = try objects(try vdsq.run(arguments + ["--json"], input: input))
    #expect(json.map { $0["error"] != nil } == [false, true, true, true, false])
    #expect(json.last?["examples"] as? Int == 4)
    let strict = try vdsq.run(arguments + ["--strict"], input: input)
    #expect(strict.status == 65 && strict.lines.count == 1)
  }

  /// An empty text has no label; all labels are equally probable.
  @Test func blankTexts() throws {
    let input = "\n \t\nhello\n\u{3000}\n"
    let text = try classify(["--top", "2"], input)
    #expect(text.lines.count == 4)
    for i in [0, 1, 3] { #expect(text.lines[i] == "-\t0.5000\tstop\t0.5000") }
    #expect(text.lines[2].hasPrefix("hello\t"))
    #expect(try classify(["--out-of-scope", "none"], "\n").output == "none\t0.5000\n")
    let json = try objects(try classify(["--json"], input))
    #expect(json.map { $0["abstained"] as? Bool } == [true, true, nil, true])
    #expect(json.map { $0["label"] as? String } == ["-", "-", "hello", "-"])
    let labels = try vdsq.run(["logits", model, "--labels", "hello,stop"], input: input)
    #expect(labels.lines[0] == "hello\t0.0000\tstop\t0.0000")
    let explained = try vdsq.run(
      ["classify", model, "--labels", "hello,stop", "--explain", "--json"], input: input)
    #expect(try objects(explained).map { $0["abstained"] as? Bool } == [true, true, nil, true])
  }

  /// Nothing is learned of a text with nothing to read, and that is told, by every command that
  /// reads examples.
  @Test func blankExamplesAreLeftOut() throws {
    let lines = ["", "hello", "\u{AD}", "stop"].enumerated().map {
      "{\"text\": \"\($1)\", \"label\": \"\($0 < 2 ? "a" : "b")\"}\n"
    }.joined()
    let examples = try folder.write(Data(lines.utf8), to: "e.jsonl")
    let adapter = folder.path("a.vdsa")
    let told = "2 of 4 texts left out: nothing to read\n"
    for arguments in [
      ["adapt", model, examples, "-o", adapter, "--force"],
      ["classify", model, "--examples", examples], ["eval", model, "--test", examples],
      ["eval", model, "--test", examples, "--adapter", adapter],
      ["review", model, examples, "--adapter", adapter],
    ] {
      let result = try vdsq.run(arguments, input: "hello\n")
      #expect(result.status == 0 && result.errors == "vdsq: \(examples): \(told)", "\(arguments)")
      #expect(try vdsq.run(arguments + ["-q"], input: "hello\n").errors.isEmpty)
    }
    let learn = ["learn", model, folder.path("l.vdsa"), "--labels", "a,b"]
    let records = try vdsq.run(learn, input: lines)
    #expect(records.lines.count == 2 && records.errors == "vdsq: \(told)")
    let texts = try vdsq.run(learn + ["--label", "a"], input: "\nhello\n \nstop\n")
    #expect(texts.lines.count == 2 && texts.errors == "vdsq: \(told)")
    #expect(try vdsq.run(learn + ["-q"], input: lines).errors.isEmpty)
    // A missing label is not about the labels of the adapter.
    let missing = try vdsq.run(learn, input: "{\"text\": \"hello\"}\n")
    #expect(missing.errors.hasPrefix("vdsq: line 1: no field label\n"))
  }

  @Test func whatWasCutAndReplacedIsTold() throws {
    let long = String(repeating: "hello ", count: 100)
    let input = Data("\(long)\nhello\n".utf8) + [0xFF, 10]
    let told =
      "vdsq: 1 of 3 texts cut to 40 tokens\n"
      + "vdsq: 1 of 3 texts with invalid UTF-8, which was replaced\n"
    #expect(try classify([], input).errors == told)
    #expect(try classify(["-q"], input).errors.isEmpty)
    for command in [
      ["embed", model], ["embed", model, "--tokens"], ["embed", model, "-o", folder.path("x.npy")],
      ["logits", model], ["classify", model, "--labels", "hello,stop", "--explain"],
    ] { #expect(try vdsq.run(command, input: input).errors == told, "\(command)") }
    let lens = try vdsq.run(["lens", model, long, "--json"])
    #expect(lens.errors == "vdsq: the text was cut to 40 tokens\n")
    let examples = try folder.write(
      Data(
        (0..<4).map {
          "{\"text\": \"\($0 == 0 ? long : "hello") \($0)\", \"label\": \"\("ab".dropFirst($0 % 2).prefix(1))\"}\n"
        }.joined().utf8), to: "e.jsonl")
    let cut = "vdsq: \(examples): 1 of 4 texts cut to 40 tokens\n"
    let adapter = folder.path("a.vdsa")
    for command in [
      ["adapt", model, examples, "-o", adapter],
      ["adapt", model, examples, "-o", folder.path("b.vdsa"), "--cache", folder.path("cache")],
      ["adapt", model, examples, "-o", folder.path("c.vdsa"), "--cache", folder.path("cache")],
      ["eval", model, "--test", examples, "--shots", "0"],
      ["eval", model, "--test", examples, "--adapter", adapter], ["review", model, examples],
      ["review", model, examples, "--adapter", adapter],
    ] { #expect(try vdsq.run(command).errors == cut, "\(command)") }
    let learned = try vdsq.run(
      ["learn", model, folder.path("l.vdsa"), "--labels", "a,b", "--label", "a"],
      input: input + input.dropLast(2) + [0x61, 0xFF, 10])
    // Of invalid UTF-8 alone the tokenizer leaves nothing.
    #expect(
      learned.errors == "vdsq: 2 of 5 texts cut to 40 tokens\n"
        + "vdsq: 1 of 5 texts with invalid UTF-8, which was replaced\n"
        + "vdsq: 1 of 6 texts left out: nothing to read\n")
  }

  @Test func labelsAreTheSameInBothPrograms() throws {
    let files = [
      "hello\rstop\r", "\u{FEFF}hello\r\n \r\nstop", "# a\nhello\nstop\n",
      "{\"hello\": [], \"stop\": \"halt\"}",
      "[\"hello\", \"stop\"]",
    ]
    for (i, text) in files.enumerated() {
      let path = try folder.write(Data(text.utf8), to: "l\(i)")
      let result = try classify(["--top", "2"], "hello\n", labels: ["--labels-file", path])
      #expect(result.status == 0 && result.output.hasPrefix("hello\t"), "\(text)")
    }
    for (i, bytes) in [
      [0x61, 10, 0xFF], [0xFF, 0xFE, 0x61, 0], Array("a\u{9}b\nc".utf8), Array("a".utf8),
      Array("{\"a\": \"b\"".utf8),
    ].enumerated() as EnumeratedSequence<[[UInt8]]> {
      let path = try folder.write(bytes, to: "b\(i)")
      let result = try classify([], "hello\n", labels: ["--labels-file", path])
      #expect(result.status >= 64 && result.output.isEmpty, "\(bytes)")
    }
    for list in ["a", "a=b,c=d", "a;b", "a,b=c"] {
      #expect(try classify([], "hello\n", labels: ["--labels", list]).status == 64)
    }
    let scoped = try classify(
      ["--top", "3"], "hello\nworld\n",
      labels: ["--labels", "hello,stop,other", "--out-of-scope", "other"])
    #expect(scoped.status == 0 && scoped.lines.count == 2)
  }

  @Test func labelsThatDoNotMatchNameTheirLine() throws {
    let examples = try folder.write(
      Data("{\"text\": \"a\", \"label\": \"a\"}\n\n{\"text\": \"b\", \"label\": \"x\"}\n".utf8),
      to: "e.jsonl")
    let result = try vdsq.run(
      ["adapt", model, examples, "-o", folder.path("a.vdsa"), "--labels", "a,b"])
    #expect(result.status == 65)
    #expect(
      result.errors == "vdsq: \(examples): line 3: the label x is not among the labels: a, b\n")
  }
}
