import CShims
package import VDSQFormat

/// A small text file as a whole, without what tools add to it: a byte order mark is dropped, UTF-16
/// is refused by its mark, and a file whose lines end with CR alone gets LF instead.
package struct TextFile {
  /// The path, for error messages.
  package let path: String
  /// The text. It need not be UTF-8.
  package let bytes: [UInt8]

  /// Reads a file; a pipe as well. `-` is standard input.
  ///
  /// - Throws: `missingInput` if it cannot be read; `badInput` if it has more than `limit` bytes or
  ///   is UTF-16.
  package init(path: String, limit: Int = 256 << 20) throws(VDSQError) {
    let isStandardInput = path.utf8.elementsEqual("-".utf8)
    let descriptor = isStandardInput ? 0 : path.withCString { vdsq_open_for_reading($0) }
    guard descriptor >= 0 else {
      throw VDSQError(.missingInput, "\(path): cannot be opened: \(lastErrorText())")
    }
    defer { if !isStandardInput { vdsq_close(descriptor) } }
    // A regular file says how long it is; the buffer is enlarged where that is wrong.
    var bytes = [UInt8](
      repeating: 0, count: max(0, min(limit, Int(vdsq_file_length(descriptor)))) + 1)
    var count = 0
    while true {
      if count == bytes.count {
        bytes.append(contentsOf: repeatElement(0, count: max(4096, bytes.count)))
      }
      let read = bytes.withUnsafeMutableBytes {
        vdsq_read(descriptor, $0.baseAddress! + count, Int64($0.count - count))
      }
      guard read >= 0 else {
        throw VDSQError(.missingInput, "\(path): cannot be read: \(lastErrorText())")
      }
      if read == 0 { break }
      count += Int(read)
      guard count <= limit else {
        throw .badInput("\(path): more than \(limit) bytes, which is more than such a file has")
      }
    }
    bytes.removeLast(bytes.count - count)
    try self.init(bytes, path: path)
  }

  /// The contents of a file.
  ///
  /// - Throws: `badInput` if they are UTF-16.
  package init(_ contents: [UInt8], path: String) throws(VDSQError) {
    self.path = path
    var bytes = contents
    let mark = try bytes.withBytes { (raw) throws(VDSQError) in
      try ByteOrderMark.length(in: raw, name: path)
    }
    if mark > 0 { bytes.removeFirst(mark) }
    if !bytes.contains(10) {
      for i in bytes.indices where bytes[i] == 13 { bytes[i] = 10 }
    }
    self.bytes = bytes
  }

  /// Calls `body` with each line, without its line end, and its number from 1.
  package func forEachLine(
    _ body: (_ line: ArraySlice<UInt8>, _ number: Int) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    var number = 0
    var start = 0
    while start < bytes.count {
      number += 1
      let end = bytes[start...].firstIndex(of: 10) ?? bytes.count
      try body(bytes[start..<(end > start && bytes[end - 1] == 13 ? end - 1 : end)], number)
      start = end + 1
    }
  }

  /// Whether a line has only spaces, tabs and carriage returns.
  package static func isBlank(_ line: some Sequence<UInt8>) -> Bool {
    line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
  }
}
