import Testing
import VDSQCheckpoints
import VDSQFormat

@Suite struct JSONFieldTests {
  private let body = JSONField("body")

  private func text(_ line: String) throws -> String {
    try Array(line.utf8).withBytes { (raw) throws(VDSQError) in
      try body.text(inLine: raw, context: "line 7")
    }
  }

  @Test func textsOfRecords() throws {
    #expect(try text("{\"text\": \"a\", \"body\": \"b\\n\"}") == "b\n")
    #expect(body.text(in: try JSON(parsing: Array("{\"body\": \"\"}".utf8), context: "")) == "")
    #expect(body.text(in: .object([])) == nil && body.text(in: .string("body")) == nil)
  }

  @Test(arguments: [
    "{}", "{\"body\": 1}", "{\"body\": [\"a\"]}", "{\"body\": null}", "[]", "\"body\"",
  ])
  func recordsWithoutTheText(_ line: String) {
    #expect { try text(line) } throws: {
      ($0 as? VDSQError)?.message == "line 7: no text in the field body"
    }
  }

  @Test func linesThatAreNotJSON() {
    #expect { try text("{\"body\": ") } throws: {
      ($0 as? VDSQError)?.message.hasPrefix("line 7") == true
    }
  }
}
