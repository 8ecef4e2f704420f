import Testing
import VDSQReports

@Suite struct TokenTextTests {
  @Test func partsOfCharactersAreShownAsBytes() {
    for (bytes, text, field): ([UInt8], String, String) in [
      (Array(" Paris".utf8), " Paris", " Paris"), ([], "", ""),
      ([0xE2, 0x80], #"\xE2\x80"#, #"\xE2\x80"#),
      ([0x61, 0xFF, 0x62], #"a\xFFb"#, #"a\xFFb"#),
      (Array("日".utf8) + [0x80], #"日\x80"#, #"日\x80"#),
      // An overlong form and a surrogate are no characters either.
      ([0xC0, 0x80], #"\xC0\x80"#, #"\xC0\x80"#),
      ([0xED, 0xA0, 0x80], #"\xED\xA0\x80"#, #"\xED\xA0\x80"#),
      ([0x09, 0x5C, 0x0A], "\t\\\n", #"\t\\\n"#),
      ([0x0D, 0x0A], "\r\n", #"\r\n"#),
    ] {
      #expect(TokenText.shown(bytes) == text)
      #expect(TokenText.shown(bytes, isField: true) == field)
    }
  }

  @Test func factorsFollowTheLastEqualsSign() {
    #expect(FactorArgument(" Paris=0.5")?.name == " Paris")
    #expect(FactorArgument(" Paris=0.5")?.factor == 0.5)
    #expect(FactorArgument("===-2")?.name == "==")
    for wrong in ["", "x", "=1", "x=", "x=y", "x=inf", "x=nan", "x= 1"] {
      #expect(FactorArgument(wrong) == nil)
    }
  }
}
