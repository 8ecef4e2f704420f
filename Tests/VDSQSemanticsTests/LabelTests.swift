import Testing
import VDSQFormat
import VDSQSemantics

@Suite struct LabelTests {
  @Test func lists() throws {
    #expect(
      try Label.parse(list: "a,b, c d ") == [
        Label(name: "a"), Label(name: "b"), Label(name: "c d"),
      ])
    #expect(
      try Label.parse(list: "bill=invoice, credit card;out=down") == [
        Label(name: "bill", words: ["invoice", "credit card"]), Label(name: "out", words: ["down"]),
      ])
    #expect(try Label.parse(line: "名=言葉,naïve") == Label(name: "名", words: ["言葉", "naïve"]))
  }

  @Test(arguments: [
    "", " ", "a,,b", "a,a", "a=;b", "=x", "a=x,", "a=x;a=y", "a=b,c=d", "a,b=c", "a;b",
    "a=b;c,d", "a\tb,c", "a,b\u{85}c", "a,\u{7F}",
  ])
  func refused(_ list: String) {
    #expect { try Label.parse(list: list) } throws: { ($0 as? VDSQError)?.category == .usage }
  }

  /// Canonically equivalent in Unicode, but different names.
  @Test func namesAreComparedExactly() throws {
    #expect(try Label.parse(list: "\u{e9},e\u{301}").count == 2)
  }

  @Test func templates() throws {
    func fill(_ template: String, _ text: String) throws -> String {
      var out: [UInt8] = []
      let template = try Template(template)
      Array(text.utf8).withUnsafeBytes { template.fill($0, into: &out) }
      return String(decoding: out, as: UTF8.self)
    }
    #expect(try fill("This is {}.", "x") == "This is x.")
    #expect(try fill("{label}!", "x") == "x!")
    #expect(try Template("a {text}").aroundTexts)
    #expect(try !Template("a {}").aroundTexts)
    for bad in ["", "no place", "{} {}", "{text} {label}"] {
      #expect { try Template(bad) } throws: { ($0 as? VDSQError)?.category == .usage }
    }
  }
}
