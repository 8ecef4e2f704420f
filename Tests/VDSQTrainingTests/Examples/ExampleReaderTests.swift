import Foundation
import TestSupport
import Testing
import VDSQFormat
import VDSQStreams
import VDSQTraining

@Suite struct ExampleReaderTests {
  private func read(
    _ text: String, _ format: ExampleFormat = .jsonLines, fields: ExampleFields = ExampleFields()
  ) throws -> [[String]] {
    try ExampleReader(fields: fields)
      .examples(in: try TextFile(Array(text.utf8), path: "x"), format: format)
      .map { [$0.text, $0.label] }
  }

  private func failure(
    _ text: String, _ format: ExampleFormat = .jsonLines, fields: ExampleFields = ExampleFields()
  ) -> String? {
    do {
      let read = try read(text, format, fields: fields)
      Issue.record("\(read)")
    } catch let error as VDSQError where error.category == .badInput {
      return error.message
    } catch { Issue.record(error) }
    return nil
  }

  @Test func namesTellFormats() {
    #expect(ExampleFormat(path: "a/b.csv") == .commaSeparated)
    #expect(ExampleFormat(path: "b.tsv") == .tabSeparated)
    #expect(ExampleFormat(path: "B.CSV") == .commaSeparated)
    #expect(ExampleFormat(path: "B.Tsv") == .tabSeparated)
    for path in ["b.jsonl", "b.json", "csv", ""] {
      #expect(ExampleFormat(path: path) == .jsonLines)
    }
  }

  @Test func linesOfJSON() throws {
    let text = """
      {"text": "hello", "label": "a", "id": 7}

      {"label": "b", "text": ""}\r
       \t
      {"text": "caf\\u00e9", "label": "a"}
      """
    #expect(try read(text) == [["hello", "a"], ["", "b"], ["café", "a"]])
    let body = ExampleFields(text: "body", label: "class")
    #expect(
      try read("{\"text\": 1, \"body\": \"x\", \"class\": \"y\"}", fields: body) == [["x", "y"]])
  }

  /// Data sets have classes as numbers, booleans or texts.
  @Test func labelsOfNumbersAndBooleans() throws {
    let text = """
      {"text": "a", "label": 1}
      {"text": "b", "label": -10}
      {"text": "d", "label": "1"}
      """
    #expect(try read(text).map { $0[1] } == ["1", "-10", "1"])
    #expect(try read("{\"text\": \"c\", \"label\": true}") == [["c", "true"]])
    #expect(
      failure("{\"text\": \"a\", \"label\": 1.5}")
        == "x: line 1: the field label is the number 1.5; a label is a text or an integer")
  }

  @Test func fieldsInsideOthers() throws {
    let fields = ExampleFields(text: "message.body", label: "class")
    #expect(
      try read("{\"class\": \"b\", \"message\": {\"id\": 1, \"body\": \"a\"}}", fields: fields)
        == [["a", "b"]])
  }

  @Test(arguments: ["\u{FEFF}", ""], ["\n", "\r\n", "\r"])
  func marksAndLineEnds(_ mark: String, _ end: String) throws {
    let lines = [
      "{\"text\": \"a\", \"label\": \"b\"}", "", "{\"text\": \"c\", \"label\": \"d\"}", "",
    ]
    #expect(try read(mark + lines.joined(separator: end)) == [["a", "b"], ["c", "d"]])
  }

  /// A tab or a line end in a label would break the lines of answers.
  @Test func labelsThatBreakLines() {
    for line in [
      "{\"text\": \"a\", \"label\": \"b\\tc\"}", "{\"text\": \"a\", \"label\": \"b\\n\"}",
    ] {
      #expect(failure(line)?.hasPrefix("x: line 1: the label: the name \"b\\") == true)
    }
    #expect(failure("text,label\na,\"b\nc\"\n", .commaSeparated)?.hasPrefix("x: line 2: ") == true)
    #expect(
      failure("{\"text\": \"a\", \"label\": \" \"}") == "x: line 1: the label: a name is empty")
  }

  @Test(arguments: [
    (ExampleFormat.commaSeparated, ",", "\"x, \"\"y\"\"\"", "x, \"y\""),
    (ExampleFormat.tabSeparated, "\t", "\"x, \"\"y\"\"\"", "\"x, \"\"y\"\"\""),
  ])
  func tables(
    _ format: ExampleFormat, _ separator: String, _ written: String, _ meant: String
  ) throws {
    let rows = [["id", "label", "text"], ["1", "a", "hello"], ["2", "b", written]]
    let text = rows.map { $0.joined(separator: separator) + "\r\n" }.joined()
    #expect(try read(text, format) == [["hello", "a"], [meant, "b"]])
    let fields = ExampleFields(text: "label", label: "id")
    #expect(try read(text, format, fields: fields) == [["a", "1"], ["b", "2"]])
  }

  @Test func errorsNameFileAndLine() {
    #expect(
      failure("{\"text\": \"a\", \"label\": \"b\"}\n\n{\"text\"}\n")?.hasPrefix("x: line 3") == true
    )
    for (line, message) in [
      ("{\"text\": \"a\"}", "no field label"), ("{\"label\": \"a\"}", "no field text"),
      ("{\"text\": 1, \"label\": \"a\"}", "no text in the field text: it is a number"),
      ("{\"text\": \"a\", \"label\": \"\"}", "the field label is empty"),
      ("{\"text\": \"a\", \"label\": null}", "the field label is neither a text nor an integer"),
      ("[]", "not a JSON object"), ("7", "not a JSON object"),
    ] {
      #expect(failure("\n" + line) == "x: line 2: \(message)")
    }
    #expect(
      failure("text,label\n\"a\nb\",c\nd,\n", .commaSeparated)
        == "x: line 4: the field label is empty")
    for (text, format) in [
      ("\n\n", ExampleFormat.jsonLines), ("", .jsonLines), ("text,label\n", .commaSeparated),
    ] {
      #expect(failure(text, format) == "x: no examples")
    }
  }

  /// Examples without a text are left out, which is told.
  @Test func textsWithNothingToRead() throws {
    let folder = try TemporaryFolder()
    func read(_ text: String, _ name: String) throws -> ([String], [String]) {
      var told: [String] = []
      let path = try folder.write(Data(text.utf8), to: name)
      let examples = try ExampleReader().read(path) {
        if case .leftOut(let count, let all) = $0 { told.append("\(count) of \(all)") }
      }
      return (examples.map(\.text), told)
    }
    let lines = ["", "a", " \\u00ad", "\\t"].map { "{\"text\": \"\($0)\", \"label\": \"b\"}\n" }
    #expect(try read(lines.joined(), "x.jsonl") == (["a"], ["3 of 4"]))
    #expect(try read("text,label\n,b\n a,b\n", "x.csv") == ([" a"], ["1 of 2"]))
    #expect(try read("text\tlabel\n\tb\nq\tb\n", "x.tsv") == (["q"], ["1 of 2"]))
    #expect(try read(lines[1], "x.jsonl") == (["a"], []))
    #expect { try read(lines[0], "x.jsonl") } throws: {
      ($0 as? VDSQError)?.message.hasSuffix("no example has anything to read") == true
    }
  }

  /// Which of two columns counts is not guessed; columns that nobody reads may be there twice.
  @Test func columnsThatAreThereTwice() throws {
    for (header, name) in [
      ("text,label,text", "text"), ("label,text,label", "label"), ("text,text,label", "text"),
    ] {
      let text = "\(header)\na,b,c\n"
      #expect(failure(text, .commaSeparated) == "x: the first line names \(name) twice")
      #expect(
        failure(text.replacingOccurrences(of: ",", with: "\t"), .tabSeparated)
          == "x: the first line names \(name) twice")
    }
    #expect(try read("id,text,id,label\n1,a,2,b\n", .commaSeparated) == [["a", "b"]])
  }

  /// The error is about the fields' names, so that a program can say how to choose others.
  @Test func columnsThatAreNotThere() {
    let names = "x: no fields text and class in the first line, which names text, label"
    let fields = ExampleFields(label: "class")
    #expect(failure("text,label\na,b\n", .commaSeparated, fields: fields) == names)
    #expect {
      try read("text,label\na,b\n", .commaSeparated, fields: fields)
    } throws: { ($0 as? VDSQError)?.setting == .exampleFields }
  }

  @Test func filesByTheirNames() throws {
    let folder = try TemporaryFolder()
    let csv = try folder.write(Data("text,label\na,b\n".utf8), to: "x.csv")
    let lines = try folder.write(Data("text,label\na,b\n".utf8), to: "x.txt")
    #expect(try ExampleReader().read(csv).map(\.label) == ["b"])
    #expect { try ExampleReader().read(lines) } throws: {
      ($0 as? VDSQError)?.message.hasPrefix("\(lines): line 1") == true
    }
    #expect { try ExampleReader().read(folder.path("absent")) } throws: {
      ($0 as? VDSQError)?.category == .missingInput
    }
  }
}
