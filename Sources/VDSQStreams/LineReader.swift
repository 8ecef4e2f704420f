import CShims
package import VDSQFormat

/// Reads lines from a file descriptor in constant memory.
///
/// Lines end with LF or CRLF. A byte order mark at the beginning is skipped; UTF-16 is refused by its
/// mark. A signal that `StreamSignals` watches ends the input behind the last whole line that was
/// read.
package final class LineReader {
  /// A line in the reader's buffer.
  package struct Line {
    /// The bytes without the line end, valid until the next call.
    package let bytes: UnsafeRawBufferPointer
    /// Counted from 1.
    package let number: Int
    /// Whether the line was longer than `longestLine` and was cut.
    package let cut: Bool
  }

  /// The maximum number of bytes of a line, far more than any model's longest sequence.
  package static let longestLine = 1 << 20

  private let descriptor: Int32
  private let name: String
  private var buffer: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0
  private var number = 0
  private var ended = false
  private var isChecked = false

  /// - Parameter name: the name of the input in error messages.
  package init(descriptor: Int32, name: String) {
    self.descriptor = descriptor
    self.name = name
    buffer = .allocate(byteCount: 1 << 14, alignment: 64)
  }

  deinit { buffer.deallocate() }

  /// Whether the next line is available already, so that reading it does not wait for input.
  package var hasBufferedLine: Bool {
    ended || firstLineEnd(from: start) != nil
  }

  /// The next line, or nil at the end of the input. A last line need not end in a newline.
  ///
  /// - Throws: `missingInput` if reading fails; `badInput` for UTF-16.
  package func next() throws(VDSQError) -> Line? {
    if !isChecked { try skipMark() }
    var scanned = start
    while true {
      if let lineEnd = firstLineEnd(from: scanned) {
        defer { start = lineEnd + 1 }
        return line(to: lineEnd)
      }
      scanned = end
      if ended {
        guard start < end, !StreamSignals.isStopped else { return nil }
        defer { start = end }
        return line(to: end)
      }
      if end - start > Self.longestLine { return try cutLine() }
      let before = start
      makeRoom()
      scanned -= before - start
      try fill()
    }
  }

  private func skipMark() throws(VDSQError) {
    // No byte more than the mark needs: the writer may wait for an answer to its first line.
    while !ended, ByteOrderMark.mayContinue(UnsafeRawBufferPointer(rebasing: buffer[..<end])) {
      try fill()
    }
    isChecked = true
    start = try ByteOrderMark.length(
      in: UnsafeRawBufferPointer(rebasing: buffer[..<end]), name: name)
  }

  private func firstLineEnd(from position: Int) -> Int? {
    guard position < end else { return nil }
    let base = UnsafeRawPointer(buffer.baseAddress!)
    guard let found = memchr(base + position, 10, end - position) else { return nil }
    return UnsafeRawPointer(found) - base
  }

  /// A line that is whole in the buffer. Whether it is too long must not depend on how much of the
  /// input was read at a time.
  private func line(to lineEnd: Int) -> Line {
    let isLong = lineEnd - start > Self.longestLine
    return line(to: isLong ? start + Self.longestLine : lineEnd, cut: isLong)
  }

  private func line(to lineEnd: Int, cut: Bool) -> Line {
    number += 1
    let trimmed = lineEnd > start && buffer[lineEnd - 1] == 13 ? lineEnd - 1 : lineEnd
    return Line(
      bytes: UnsafeRawBufferPointer(rebasing: buffer[start..<trimmed]), number: number, cut: cut)
  }

  /// Returns the first part of a line that is too long. The next call skips the rest.
  private func cutLine() throws(VDSQError) -> Line? {
    // The rest is read into the end of the buffer, behind the part that is kept.
    let kept = start + Self.longestLine
    while true {
      if let lineEnd = firstLineEnd(from: kept) {
        defer { start = lineEnd + 1 }
        return line(to: kept, cut: true)
      }
      end = kept
      if ended {
        defer { start = end }
        return line(to: kept, cut: true)
      }
      if buffer.count - end < 1 << 13 { grow() }
      try fill()
    }
  }

  private func makeRoom() {
    if start > 0 {
      buffer.baseAddress!.copyMemory(
        from: buffer.baseAddress! + start, byteCount: end - start)
      end -= start
      start = 0
    }
    if buffer.count - end < 1 << 13 { grow() }
  }

  private func grow() {
    let larger = UnsafeMutableRawBufferPointer.allocate(
      byteCount: buffer.count * 2, alignment: 64)
    larger.baseAddress!.copyMemory(from: buffer.baseAddress!, byteCount: end)
    buffer.deallocate()
    buffer = larger
  }

  private func fill() throws(VDSQError) {
    let count = vdsq_read_input(descriptor, buffer.baseAddress! + end, Int64(buffer.count - end))
    guard count >= 0 else {
      throw VDSQError(.missingInput, "\(name): cannot be read: \(lastErrorText())")
    }
    if count == 0 { ended = true }
    end += Int(count)
  }
}
