import Foundation
import TestSupport
import Testing
import VDSQFormat

import VDSQTraining

@Suite struct ExampleReaderTests {
  private func read(
    _ text: String, _ format: ExampleFormat = .jsonLines, fields: ExampleFields = ExampleFields()
  ) throws -> [[String]] {
    try ExampleReader(fields: fields)
      .examples(in: Array(text.utf8), format: format, name: "x").map { [$0.text, $0.label] }
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

  @Test(arguments: [
    (ExampleFormat.commaSeparated, ","), (ExampleFormat.tabSeparated, "\t"),
  ])
  func tables(_ format: ExampleFormat, _ separator: String) throws {
    let rows = [
      ["id", "label", "text"], ["1", "a", "hello"], ["2", "b", "\"x\(separator) \"\"y\"\"\""],
    ]
    let text = rows.map { $0.joined(separator: separator) + "\r\n" }.joined()
    #expect(try read(text, format) == [["hello", "a"], ["x\(separator) \"y\"", "b"]])
    let fields = ExampleFields(text: "label", label: "id")
    #expect(try read(text, format, fields: fields) == [["a", "1"], ["b", "2"]])
  }

  @Test func errorsNameFileAndLine() {
    #expect(
      failure("{\"text\": \"a\", \"label\": \"b\"}\n\n{\"text\"}\n")?.hasPrefix("x: line 3") == true
    )
    for line in [
      "{\"text\": \"a\"}", "{\"label\": \"a\"}", "{\"text\": 1, \"label\": \"a\"}",
      "{\"text\": \"a\", \"label\": \"\"}", "[]", "7",
    ] {
      #expect(failure("\n" + line) == "x: line 2: no text in the fields text and label")
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

  /// The message says what chooses other names where something does.
  @Test func columnsThatAreNotThere() {
    let names = "x: no fields text and class in the first line, which names text, label"
    var fields = ExampleFields(label: "class")
    #expect(failure("text,label\na,b\n", .commaSeparated, fields: fields) == names)
    fields.chosenBy = "--label-field"
    #expect(
      failure("text,label\na,b\n", .commaSeparated, fields: fields)
        == names + "; --label-field say others")
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
