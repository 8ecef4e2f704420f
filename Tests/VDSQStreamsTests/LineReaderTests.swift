import Foundation
import TestSupport
import Testing
import VDSQFormat
import VDSQStreams

@Suite struct LineReaderTests {
  private func lines(_ data: Data) throws -> [(text: String, number: Int, cut: Bool)] {
    let folder = try TemporaryFolder()
    let handle = try #require(FileHandle(forReadingAtPath: try folder.write(data, to: "in")))
    let reader = LineReader(descriptor: handle.fileDescriptor, name: "in")
    var lines: [(String, Int, Bool)] = []
    while let line = try reader.next() {
      lines.append((String(decoding: line.bytes, as: UTF8.self), line.number, line.cut))
    }
    return lines
  }

  @Test func lineEnds() throws {
    let cases: [(String, [String])] = [
      ("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\r\nb", ["a", "b"]),
      ("\n\na\n", ["", "", "a"]), ("a\r\r\n", ["a\r"]),
    ]
    for (input, expected) in cases {
      #expect(try lines(Data(input.utf8)).map(\.text) == expected, "\(input.debugDescription)")
    }
  }

  @Test func marks() throws {
    let cases: [(String, [String])] = [
      ("\u{FEFF}a\n\u{FEFF}b", ["a", "\u{FEFF}b"]), ("\u{FEFF}", []), ("\u{FEFF}\n", [""]),
      ("a\u{FEFF}", ["a\u{FEFF}"]),
    ]
    for (input, expected) in cases {
      #expect(try lines(Data(input.utf8)).map(\.text) == expected, "\(input.debugDescription)")
    }
    for bytes in [[0xEF], [0xEF, 0xBB], [0xFE], [0xFF, 0x0A]] as [[UInt8]] {
      #expect(try lines(Data(bytes)).count == 1)
    }
    for bytes in [[0xFF, 0xFE, 0x61, 0], [0xFE, 0xFF, 0, 0x61]] as [[UInt8]] {
      #expect { try lines(Data(bytes)) } throws: {
        ($0 as? VDSQError)?.message == "in: UTF-16; convert it with iconv -f UTF-16 -t UTF-8"
      }
    }
  }

  @Test func linesOfEveryLengthAroundTheBuffer() throws {
    let lengths = [0, 1, 65_535, 65_536, 65_537, 32_768, 200_000, 7, 131_072, 1_048_575, 1_048_576]
    let text = lengths.map { String(repeating: "x", count: $0) }.joined(separator: "\n")
    let read = try lines(Data(text.utf8))
    #expect(read.map(\.text.utf8.count) == lengths)
    #expect(read.map(\.number) == Array(1...lengths.count))
    #expect(read.allSatisfy { !$0.cut })
  }

  /// Also where the buffer has all of it.
  @Test func linesThatAreALittleTooLong() throws {
    let long = String(repeating: "y", count: LineReader.longestLine + 1)
    let read = try lines(Data((long + "\na\n" + long).utf8))
    #expect(read.map(\.cut) == [true, false, true])
    #expect(read.map(\.text.utf8.count) == [1 << 20, 1, 1 << 20])
  }

  @Test func linesThatAreTooLongAreCut() throws {
    let long = String(repeating: "y", count: 5_000_000)
    let read = try lines(Data("a\n\(long)\nb\n\(long)".utf8))
    #expect(read.map(\.text.utf8.count) == [1, 1 << 20, 1, 1 << 20])
    #expect(read.map(\.cut) == [false, true, false, true])
    #expect(read.map(\.number) == [1, 2, 3, 4])
  }
  /// Whatever the bytes are and however they come, lines and line ends make the input again.
  @Test func linesJoinToTheInput() throws {
    var random = Random(4)
    for _ in 0..<50 {
      let bytes = (0..<Int.random(in: 0..<60_000, using: &random)).map { _ -> UInt8 in
        [10, 0, 255, 97].randomElement(using: &random)!
      }
      var expected = bytes.split(separator: 10, omittingEmptySubsequences: false).map { Array($0) }
      if expected.last == [] { expected.removeLast() }
      let pipe = Pipe()
      let writer = Thread {
        for start in stride(from: 0, to: bytes.count, by: 777) {
          pipe.fileHandleForWriting.write(Data(bytes[start..<min(start + 777, bytes.count)]))
        }
        pipe.fileHandleForWriting.closeFile()
      }
      writer.start()
      let reader = LineReader(
        descriptor: pipe.fileHandleForReading.fileDescriptor, name: "a pipe")
      var lines: [[UInt8]] = []
      while let line = try reader.next() { lines.append(Array(line.bytes)) }
      #expect(lines == expected)
      #expect(reader.hasBufferedLine)
    }
  }
}
