import Testing
import VDSQFormat
import VDSQStreams

/// Which documents are JSON, and what strings mean, is as Python's `json` has it, except that it
/// accepts NaN and halves of surrogate pairs.
@Suite struct JSONScannerTests {
  private func check(_ text: [UInt8]) throws(VDSQError) -> JSONScanner.Kind {
    try text.withBytes { (bytes) throws(VDSQError) in
      var scanner = JSONScanner(bytes)
      let value = try scanner.value()
      try scanner.end()
      return value.kind
    }
  }

  @Test(arguments: [
    ("{}", JSONScanner.Kind.object), (" {\"a\" : [1, {\"b\":null}]}\r\n", .object), ("[]", .array),
    ("[[], [ ]]", .array), ("\"\"", .string), ("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", .string),
    ("0", .number), ("-0.5e+10", .number), ("10", .number), ("1E400", .number), ("true", .boolean),
    ("false", .boolean), ("null", .null), ("\"\u{7F}\u{2028}\"", .string),
  ])
  func documents(_ text: String, _ kind: JSONScanner.Kind) throws {
    #expect(try check(Array(text.utf8)) == kind)
  }

  @Test(arguments: [
    "", " ", "{", "[", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}", "[1,]", "[1 2]",
    "[,]",
    "{\"a\":1 \"b\":2}", "{,}", "\"", "\"\\", "\"\\x\"", "\"\\u12g4\"", "\"\\u12", "\"a\nb\"",
    "\"\t\"", "01",
    "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "tru", "nul", "True", "1 2", "{} {}", "]", "}",
    "NaN",
  ])
  func whatIsNoDocument(_ text: String) {
    #expect { try check(Array(text.utf8)) } throws: {
      ($0 as? VDSQError)?.message.hasPrefix("malformed JSON at byte ") == true
    }
  }

  @Test func nesting() throws {
    func nested(_ depth: Int) -> [UInt8] {
      [UInt8](repeating: 0x5B, count: depth) + [UInt8](repeating: 0x5D, count: depth)
    }
    #expect(try check(nested(JSONScanner.maximumDepth)) == .array)
    #expect { try check(nested(JSONScanner.maximumDepth + 1)) } throws: {
      ($0 as? VDSQError)?.message.hasSuffix("nested too deeply") == true
    }
    #expect(throws: VDSQError.self) { try check([UInt8](repeating: 0x5B, count: 1 << 20)) }
  }

  /// Every document cut anywhere, and with any byte replaced, is an error or a value: no trap.
  @Test func damagedDocuments() {
    let text = Array("{\"a\\u00e9\": [1.5e3, \"\\ud83d\\ude00\", {\"b\": null}], \"c\": true}".utf8)
    for count in 0..<text.count {
      #expect(throws: VDSQError.self) { try check(Array(text[..<count])) }
    }
    for place in text.indices {
      for byte in UInt8.min...UInt8.max {
        var damaged = text
        damaged[place] = byte
        _ = try? check(damaged)
      }
    }
  }
}

@Suite struct RecordFieldsTests {
  /// The texts of fields, nil where there is none.
  private func read(_ line: String, _ paths: String) throws(VDSQError) -> [String?] {
    let fields = RecordFields(try FieldPath.list(paths))
    return try Array(line.utf8).withBytes { (bytes) throws(VDSQError) in
      // Twice, as values of a record must not stay for the next.
      try fields.read(bytes)
      try fields.read(bytes)
      return fields.values.map { value in
        value.map {
          var text: [UInt8] = []
          fields.decode($0, into: &text)
          return String(decoding: text, as: UTF8.self)
        }
      }
    }
  }

  @Test func fieldsByPath() throws {
    let line =
      "{\"id\": 7, \"a\": {\"b\": {\"c\": \"x\"}, \"d\": [1, {\"c\": 2}]}, \"e.f\": null, \"g\": {\"h.i\": 1}}"
    #expect(
      try read(line, "id,a.b.c,a.d,e.f,g.h.i,a.b") == [
        "7", "x", "[1, {\"c\": 2}]", "null", "1", "{\"c\": \"x\"}",
      ])
    #expect(try read(line, "a.c,b,id.x,e,a.d.c,i,a.b.c.d") == [nil, nil, nil, nil, nil, nil, nil])
    #expect(try read("{\"\\u0061\": {\"\\u0062\": 1}}", "a.b") == ["1"])
    #expect(try read("{}", "a") == [nil])
  }

  /// As Python's `json.loads` reads them; a half of a pair is U+FFFD here.
  @Test(arguments: [
    ("\\ud83d\\ude00", "\u{1F600}", 0), ("\\ud83d", "\u{FFFD}", 1),
    ("\\ude00\\ud83d", "\u{FFFD}\u{FFFD}", 2),
    ("\\ud83d\\u0041", "\u{FFFD}A", 1), ("\\ud83dx", "\u{FFFD}x", 1),
    ("\\ud83d\\ud83d\\ude00", "\u{FFFD}\u{1F600}", 1),
    ("\\\\n\\n\\/\\\"", "\\n\n/\"", 0), ("\\uD83D\\uDE00\\u00E9", "\u{1F600}\u{e9}", 0),
    ("\\u0000", "\0", 0),
  ])
  func strings(_ written: String, _ meant: String, _ halves: Int) throws {
    let fields = RecordFields([try FieldPath("a")])
    try Array("{\"a\": \"\(written)\"}".utf8).withBytes { (bytes) throws(VDSQError) in
      try fields.read(bytes)
      var text: [UInt8] = []
      #expect(try fields.text(0, into: &text) == halves)
      #expect(text == Array(meant.utf8))
    }
  }

  @Test(arguments: [
    ("{\"a\": 1, \"a\": 2}", "the field a is there twice"),
    ("{\"b\": {\"c\": 1}, \"b.c\": 2}", "the field b.c is there twice"),
    ("[1]", "not a JSON object"),
    ("7", "not a JSON object"), ("null", "not a JSON object"),
  ])
  func records(_ line: String, _ message: String) {
    #expect { try read(line, "a,b.c") } throws: { ($0 as? VDSQError)?.message == message }
  }

  @Test(arguments: ["", ".", "a.", ".a", "a..b", "a,", "a,a", "x=a,x=b", "=a", "x="])
  func pathsThatAreNone(_ paths: String) {
    #expect { try FieldPath.list(paths) } throws: { ($0 as? VDSQError)?.category == .usage }
  }
}
