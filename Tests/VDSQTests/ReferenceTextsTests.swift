import TestSupport
import Testing
import VDSQ
import VDSQFormat
import VDSQStreams

@Suite struct ReferenceTextsTests {
  private func texts(_ contents: String, field: String? = nil) throws(VDSQError) -> [String] {
    try ReferenceTexts.texts(
      in: TextFile(Array(contents.utf8), path: "t"), field: field)
  }

  @Test func linesAndRecords() throws {
    #expect(try texts("\u{FEFF}one\r\n\n  \ntwo") == ["one", "two"])
    #expect(
      try texts(#"{"a": {"b": "é\n"}}"# + "\n\n" + #"{"a": {"b": " "}}"#, field: "a.b") == ["é\n"])
    let folder = try TemporaryFolder()
    let record = Array(#"{"text": "one"}"#.utf8)
    _ = try folder.write(record, to: "t.JSONL")
    _ = try folder.write(Array((0..<50).map { "\($0)\n" }.joined().utf8), to: "many.txt")
    let some = try ReferenceTexts.read(folder.path("many.txt"), field: "text", atMost: 10)
    #expect(some == (0..<10).map { "\(5 * $0)" })
    #expect(try ReferenceTexts.read(folder.path("t.JSONL")) == ["one"])
    _ = try folder.write(record, to: "t.txt")
    #expect(try ReferenceTexts.read(folder.path("t.txt")) == [#"{"text": "one"}"#])
  }

  /// Of long files, texts are taken evenly.
  @Test func longFilesAreSampled() throws {
    let found = try texts((0..<5000).map { "\($0)" }.joined(separator: "\n"))
    #expect(found.count == ReferenceTexts.most)
    #expect(found.prefix(3) == ["0", "5", "10"])
  }

  @Test func faultsNameTheLine() {
    for (contents, part) in [
      ("{\"text\": 1}", "line 1"), ("{\"text\": \"a\"}\n{}", "line 2"), ("\n\n", "no texts"),
      ("{\"text\": \"a\"}\nnonsense", "line 2"),
    ] {
      let error = #expect(throws: VDSQError.self) { try texts(contents, field: "text") }
      #expect(error?.category == .badInput)
      #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    }
  }
}
