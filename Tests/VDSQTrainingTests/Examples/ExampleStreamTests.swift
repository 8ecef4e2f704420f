import Foundation
import TestSupport
import Testing
import VDSQFormat
import VDSQStreams
import VDSQTraining

@Suite struct ExampleStreamTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Reads a file's examples, and what the stream threw at last.
  private func read(
    _ bytes: [UInt8], label: String? = nil
  ) throws -> (examples: [[String]], failure: VDSQError?) {
    let file = try FileHandle(forReadingFrom: URL(filePath: folder.write(bytes, to: "x")))
    let stream = ExampleStream(
      LineReader(descriptor: file.fileDescriptor, name: "x"), name: "x", label: label)
    var examples: [[String]] = []
    do throws(VDSQError) {
      while let next = try stream.next() {
        examples.append([next.example.text, next.example.label, next.context])
      }
    } catch { return (examples, error) }
    return (examples, nil)
  }

  @Test func linesOfJSONOneAtATime() throws {
    let text = "{\"text\": \"a\", \"label\": \"b\"}\n \t\r\n{\"label\": \"d\", \"text\": \"c\"}"
    let (examples, failure) = try read(Array(text.utf8))
    #expect(failure == nil && examples == [["a", "b", "x: line 1"], ["c", "d", "x: line 3"]])
  }

  @Test func textsOfOneLabel() throws {
    let (examples, failure) = try read(Array("{\"text\"\n\nhello\n".utf8), label: "b")
    #expect(failure == nil)
    #expect(examples == [["{\"text\"", "b", "x: line 1"], ["hello", "b", "x: line 3"]])
  }

  /// What comes before an error was read.
  @Test func errorsNameTheLine() throws {
    let (examples, failure) = try read(Array("{\"text\": \"a\", \"label\": \"b\"}\n{}\n".utf8))
    #expect(examples.count == 1)
    #expect(failure?.message == "x: line 2: no text in the fields text and label")
    let invalid = try read([0x61, 10, 0xFF, 10], label: "b")
    #expect(invalid.examples.count == 1 && invalid.failure?.message == "x: line 2: not UTF-8")
    let long = [UInt8](repeating: 0x61, count: LineReader.longestLine + 1)
    #expect(try read(long, label: "b").failure?.message == "x: line 1: the line is too long")
  }
}
