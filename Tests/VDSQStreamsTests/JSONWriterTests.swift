import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQStreams

@Suite struct JSONWriterTests {
  private func parsed(_ json: String) throws -> JSON {
    try JSON(parsing: Array(json.utf8), context: "test")
  }

  @Test func separatorsAndNesting() {
    let json = JSONWriter.string { json in
      json.object {
        json.member("a", 1)
        json.member("empty", [Int]())
        json.key("b")
        json.array {
          json.object {}
          json.write("x")
          json.null()
          json.array { json.write(-7) }
        }
        json.breakLine()
        json.member("c", true)
        json.member("d", Int?.none)
        json.member("e", [[1, 2], [3]])
      }
    }
    #expect(
      json == """
        {"a": 1, "empty": [], "b": [{}, "x", null, [-7]],
        "c": true, "d": null, "e": [[1, 2], [3]]}
        """)
  }

  @Test func valuesOfTheOutermostLevelAreJSONLines() {
    let output = OutputBuffer(descriptor: nil)
    let json = JSONWriter(output)
    for n in 0..<3 {
      json.object { json.member("n", n) }
      output.write("\n")
    }
    #expect(
      String(decoding: output.bytes, as: UTF8.self) == "{\"n\": 0}\n{\"n\": 1}\n{\"n\": 2}\n")
  }

  /// As Python's `json.dumps(text, ensure_ascii=False)` writes them, byte for byte; but for U+0008 and
  /// U+000C, for which it has short escapes.
  @Test func escapes() {
    let cases: [(String, String)] = [
      ("", #""""#), ("plain", #""plain""#), ("a\"b\\c/d", #""a\"b\\c/d""#),
      ("\n\r\t", #""\n\r\t""#),
      ("\u{0}\u{1}\u{B}\u{10}\u{1F}", #""\u0000\u0001\u000b\u0010\u001f""#),
      ("\u{7F}\u{80}é日😍\u{2028}", "\"\u{7F}\u{80}é日😍\u{2028}\""),
    ]
    for (text, expected) in cases {
      #expect(JSONWriter.string { $0.write(text) } == expected)
    }
  }

  @Test func anyStringReadsBack() throws {
    var random = Random(1)
    let scalars: [ClosedRange<UInt32>] = [
      0...0x7F, 0x80...0x7FF, 0x800...0xD7FF, 0x10000...0x10FFFF,
    ]
    for _ in 0..<500 {
      var text = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0..<24, using: &random) {
        let range = scalars.randomElement(using: &random)!
        text.append(Unicode.Scalar(UInt32.random(in: range, using: &random))!)
      }
      let string = String(text)
      let json = JSONWriter.string { json in json.object { json.member(string, string) } }
      let member = try #require(try parsed(json).members?.first)
      #expect(member.key.utf8.elementsEqual(string.utf8))
      #expect(try #require(member.value.text).utf8.elementsEqual(string.utf8))
      // Foundation's parser agrees that it is JSON.
      let read = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: String]
      #expect(read?.values.first?.utf8.elementsEqual(string.utf8) == true)
    }
  }

  @Test func numbersReadBackAsTheyWere() throws {
    var random = Random(2)
    for _ in 0..<2000 {
      let double = Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &random))
      let float = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &random))
      let json = JSONWriter.string { $0.write([double, Double(float)]) }
      if double.isFinite { #expect(json.hasPrefix("[\(double), ")) }
      let read = try #require(try parsed(json).elements)
      #expect(double.isFinite ? read[0].double == double : read[0].isNull)
      let short = JSONWriter.string { $0.write(float) }
      #expect(float.isFinite ? Float(short) == float : short == "null")
    }
    for n in [Int.min, Int.max, 0, -1, 9, 10, 99, 100] {
      #expect(JSONWriter.string { $0.write(n) } == "\(n)")
    }
  }

  @Test func fixedDecimals() {
    func fixed(_ value: Double, _ decimals: Int) -> String {
      JSONWriter.string { $0.write(value, decimals: decimals) }
    }
    #expect(fixed(0.5, 6) == "0.500000")
    #expect(fixed(-0.0000004, 6) == "0.000000")
    #expect(fixed(-1.25, 1) == "-1.3")
    #expect(fixed(0.9999996, 6) == "1.000000")
    #expect(fixed(123456.789, 3) == "123456.789")
    #expect(fixed(.nan, 3) == "null")
    #expect(fixed(-.infinity, 3) == "null")
    #expect(fixed(1e300, 9) == "null")
    var random = Random(3)
    for _ in 0..<1000 {
      let value = Double.random(in: -1e6...1e6, using: &random)
      #expect(abs(Double(fixed(value, 6))! - value) <= 0.5000001e-6)
    }
  }
}
