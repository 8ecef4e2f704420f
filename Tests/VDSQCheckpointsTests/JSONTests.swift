import Testing
import VDSQCheckpoints
import VDSQFormat

@Suite struct JSONTests {
  private func parse(_ text: String) throws -> JSON {
    try JSON(parsing: Array(text.utf8), context: "test")
  }

  @Test func values() throws {
    #expect(try parse(" null ") == .null)
    #expect(try parse("[true,false]") == .array([.bool(true), .bool(false)]))
    #expect(try parse("-1.5e2") == .number(-150))
    #expect(try parse("[0, -0, 0.5, 10, 0e1, 1E+2]").elements?.count == 6)
    #expect(try parse(#""a\n\u00e9\ud83d\ude00\/""#) == .string("a\né😀/"))
    #expect(try parse(#"{"a": {"b": []}}"#)["a"]?["b"] == .array([]))
    #expect(try parse(#""\ud800x""#) == .string("\u{FFFD}x"))
    #expect(try parse("9007199254740993").integer == nil)
    #expect(try parse("1.5").integer == nil)
    #expect(try parse("12").integer == 12)
  }

  /// Canonical equivalents are different keys: a vocabulary may have both.
  @Test func keysAreComparedExactly() throws {
    #expect(try parse("{\"\u{e9}\": 1, \"e\u{301}\": 2}").members?.count == 2)
  }

  @Test(arguments: [
    "", "{", "[", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "nul", "tru", "01x", "+1",
    "1 2", "\"", "\"\\x\"", "\"\\u12\"", "\"\n\"", "1e999", "NaN", "Infinity", "--1",
    "07", "-07", "00", "[01]", "1.", "-.5", "1.e2", "1e", "1e+", "-", "0x1",
    "{\"a\":1 \"b\":2}",
    #"{"a":1,"a":2}"#, "\u{feff}1",
  ])
  func malformed(_ text: String) {
    #expect { try parse(text) } throws: { ($0 as? VDSQError)?.category == .badInput }
  }

  @Test func depthIsLimited() {
    let deep = String(repeating: "[", count: 1_000_000)
    #expect { try parse(deep) } throws: { ($0 as? VDSQError)?.message.contains("deep") == true }
    #expect(throws: Never.self) {
      try parse(String(repeating: "[", count: 60) + String(repeating: "]", count: 60))
    }
  }

  @Test func invalidUTF8IsRefused() {
    #expect(throws: VDSQError.self) {
      try JSON(parsing: [0x22, 0xFF, 0x22], context: "test")
    }
  }
}
