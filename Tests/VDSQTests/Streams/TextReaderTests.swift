import Foundation
import TestSupport
import Testing
import VDSQ
import VDSQFormat
import VDSQStreams

@Suite struct TextReaderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The texts of a file, `|` where the reader pauses, and what is wrong with failed records.
  private func read(
    _ bytes: [UInt8], field: String? = nil, isStrict: Bool = false
  ) throws -> [String] {
    let file = try FileHandle(forReadingFrom: URL(filePath: folder.write(bytes, to: "x")))
    defer { try? file.close() }
    var options = TextReader.Options()
    options.isStrict = isStrict
    options.field = try field.map { try FieldPath($0) }
    let reader = TextReader(
      LineReader(descriptor: file.fileDescriptor, name: "x"), options: options)
    var events: [String] = []
    try reader.forEach(
      { record in
        let mark = record.isReplaced ? "?" : ""
        events.append("\(record.line)\(mark) \(String(decoding: record.text, as: UTF8.self))")
      },
      failed: { events.append("\($0.line)! \($0.error.message)") }, pause: { events.append("|") })
    return events
  }

  @Test func linesAreTexts() throws {
    #expect(
      try read(Array("a\n\nb\r\nc".utf8)) == ["1 a", "2 ", "3 b", "|", "4 c", "|"])
  }

  @Test func invalidTexts() throws {
    let bytes: [UInt8] = [0x61, 10, 0xFF, 0x62, 10, 0x63, 10]
    #expect(
      try read(bytes).filter { $0 != "|" } == ["1 a", "2? \u{FFFD}b", "3 c"])
    #expect(
      try read(bytes, isStrict: true).filter { $0 != "|" }
        == ["1 a", "2! the text is not valid UTF-8", "3 c"])
    let record = Array("{\"a\": \"".utf8) + [0xFF] + Array("\"}\n{\"a\": \"\\ud800\"}".utf8)
    #expect(
      try read(record, field: "a").filter { $0 != "|" } == ["1? \u{FFFD}", "2? \u{FFFD}"])
    #expect(try read(record, field: "a", isStrict: true).count { $0.contains("!") } == 2)
  }

  /// A record that cannot be read does not change those around it; blank lines are no records.
  @Test func fieldsOfJSONLines() throws {
    let text =
      "{\"body\": \"a\\n\", \"x\": 1}\n \n{\"x\": 1}\n{\n{\"body\": null}\n{\"x\": 1, \"body\": \"caf\\u00e9\"}\n"
    #expect(
      try read(Array(text.utf8), field: "body").filter { $0 != "|" } == [
        "1 a\n", "3! no text in the field body", "4! malformed JSON at byte 1: it ends too early",
        "5! no text in the field body: it is null", "6 café",
      ])
  }

  @Test func linesThatAreTooLong() throws {
    let long = [UInt8](repeating: 0x78, count: LineReader.longestLine + 1)
    #expect(
      try read(long + Array("\n{\"a\": \"b\"}".utf8), field: "a").filter { $0 != "|" }
        == ["1! longer than 1048576 bytes of JSON", "2 b"])
  }
}
