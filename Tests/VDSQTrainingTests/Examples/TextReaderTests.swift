import Foundation
import TestSupport
import Testing
import VDSQFormat
import VDSQ
import VDSQStreams
import VDSQTraining

@Suite struct TextReaderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func lines(_ bytes: [UInt8]) throws -> (reader: LineReader, file: FileHandle) {
    let file = try FileHandle(forReadingFrom: URL(filePath: folder.write(bytes, to: "x")))
    return (LineReader(descriptor: file.fileDescriptor, name: "x"), file)
  }

  /// The texts that a reader gives, `|` where it pauses, and what it threw at last.
  private func read(_ reader: TextReader) -> (events: [String], failure: VDSQError?) {
    var events: [String] = []
    do throws(VDSQError) {
      try reader.forEach(
        { (text, line) in events.append("\(line.number) \(String(decoding: text, as: UTF8.self))")
        },
        pause: { events.append("|") })
    } catch { return (events, error) }
    return (events, nil)
  }

  @Test func linesAreTexts() throws {
    let (lines, file) = try lines(Array("a\n\nb\r\nc".utf8))
    defer { try? file.close() }
    let (events, failure) = read(TextReader(lines))
    #expect(failure == nil && events == ["1 a", "2 ", "3 b", "|", "4 c", "|"])
  }

  @Test func invalidTexts() throws {
    let bytes: [UInt8] = [0x61, 10, 0xFF, 0x62, 10, 0x63, 10]
    let (lenient, file) = try lines(bytes)
    defer { try? file.close() }
    #expect(read(TextReader(lenient)).events.filter { $0 != "|" } == ["1 a", "2 \u{FFFD}b", "3 c"])
    let (strict, again) = try lines(bytes)
    defer { try? again.close() }
    let (events, failure) = read(TextReader(strict, isStrict: true))
    #expect(events == ["1 a"])
    #expect(failure?.message == "line 2: the text is not valid UTF-8")
    #expect(failure?.category == .badInput)
  }

  @Test func fieldsOfJSONLines() throws {
    let text =
      "{\"body\": \"a\\n\", \"x\": 1}\n{\"x\": 1, \"body\": \"caf\\u00e9\"}\n{\"x\": \"a\"}\n"
    let (lines, file) = try lines(Array(text.utf8))
    defer { try? file.close() }
    let (events, failure) = read(TextReader(jsonLines: lines, field: "body"))
    #expect(events == ["1 a\n", "2 café"])
    #expect(failure?.message == "line 3: no text in the field body")
  }

  @Test(arguments: ["\"", "{\"body\": 1}", "[]", "{\"body\": null}"])
  func linesThatHaveNoText(_ line: String) throws {
    let (lines, file) = try lines(Array(line.utf8))
    defer { try? file.close() }
    let failure = read(TextReader(jsonLines: lines, field: "body")).failure
    #expect(failure?.category == .badInput && failure?.message.hasPrefix("line 1: ") == true)
  }

  @Test func linesThatAreTooLong() throws {
    let (lines, file) = try lines([UInt8](repeating: 0x20, count: LineReader.longestLine + 1))
    defer { try? file.close() }
    let failure = read(TextReader(jsonLines: lines, field: "body")).failure
    #expect(failure?.message == "line 1: longer than 1048576 bytes of JSON")
  }
}
