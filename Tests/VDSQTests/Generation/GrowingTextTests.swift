import Testing
import VDSQ

/// What of a growing text can be shown.
@Suite struct GrowingTextTests {
  /// The parts that are shown behind each piece, and whether a stop came.
  private func shown(_ pieces: [[UInt8]], _ stops: [String] = []) -> ([String], Bool) {
    var text = GrowingText(stops: stops.map { Array($0.utf8) })
    var parts: [String] = []
    var shown = 0
    for piece in pieces {
      let isStopped = text.append(piece)
      parts.append(String(decoding: text.bytes[shown..<text.settled], as: UTF8.self))
      shown = text.settled
      if isStopped { return (parts, true) }
    }
    text.finish()
    parts.append(String(decoding: text.bytes[shown...], as: UTF8.self))
    return (parts, false)
  }

  private func shown(_ pieces: [String], _ stops: [String]) -> ([String], Bool) {
    shown(pieces.map { Array($0.utf8) }, stops)
  }

  @Test func incompleteCharactersWait() {
    let smile = Array("😀".utf8)
    #expect(shown(smile.map { [$0] }).0 == ["", "", "", "😀", ""])
    #expect(shown([[0x61, 0xC3], [0xA9]]).0 == ["a", "é", ""])
    #expect(shown([[0xE6, 0x97], [0xA5, 0x62]]).0 == ["", "日b", ""])
    // Bytes that complete nothing are shown, and the end shows all.
    #expect(shown([[0x80, 0x80, 0x80, 0x80]]).0 == ["\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}", ""])
    #expect(shown([[0x61, 0xF0, 0x9F]]).0 == ["a", "\u{FFFD}"])
  }

  @Test func stopsAreNotShown() {
    #expect(shown(["x\n", "\n", "y"], ["\n\n"]) == (["x", ""], true))
    #expect(shown(["xE", "N", "Dy"], ["END"]) == (["x", "", ""], true))
    #expect(shown(["xE", "N", "X"], ["END"]) == (["x", "", "ENX", ""], false))
    #expect(shown(["E", "EN", "D"], ["END"]) == (["", "E", ""], true))
    #expect(shown(["ab", "ac"], ["abac", "b"]) == (["a"], true))
    #expect(shown(["xxEND", "y"], ["ND", "END"]) == (["xx"], true))
    #expect(shown(["a"], ["aa"]) == (["", "a"], false))
    #expect(shown([String](), ["a"]) == ([""], false))
  }
}
