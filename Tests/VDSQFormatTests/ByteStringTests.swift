import Testing
import VDSQFormat

@Suite struct ByteStringTests {
  private static let equivalents = [
    ("é", "e\u{301}"), ("K", "\u{212A}"), ("\u{C5}", "\u{212B}"), ("\u{1E69}", "s\u{307}\u{323}"),
  ]

  @Test(arguments: equivalents) func equivalentsDiffer(_ a: String, _ b: String) {
    #expect(a == b, "to Swift")
    #expect(!a.hasSameBytes(as: b) && a.hasSameBytes(as: a))
    #expect(ByteString(a) != ByteString(b))
    #expect((ByteString(a) < ByteString(b)) != (ByteString(b) < ByteString(a)))
    #expect([a, b, a].byteStrings.count == 2)
    #expect([a, b].firstIndex(ofBytes: b) == 1)
  }

  @Test func marksBelongToNoPrefix() {
    #expect("▁\u{301}".startsWithBytes(of: "▁") && !"▁\u{301}".hasPrefix("▁"))
    #expect("a]\u{301}".endsWithBytes(of: "\u{301}") && !"a]".endsWithBytes(of: "a"))
    #expect(
      "a \u{301} ".parts(between: 0x20).map { Array($0.utf8) } == [[0x61], [0xCC, 0x81], []])
  }
}
