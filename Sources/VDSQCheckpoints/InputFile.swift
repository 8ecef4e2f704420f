import Glibc
import SystemPackage
package import VDSQFormat

/// A file that is read by position, in pieces of any size.
package final class InputFile {
  /// The path as it was given, for error messages.
  package let path: String
  /// The size in bytes when the file was opened.
  package let length: Int
  private let source: Source

  private enum Source {
    case file(FileDescriptor)
    case memory([UInt8])
  }

  /// - Throws: `missingInput` if the file does not exist, `badInput` if it is not a regular file, or
  ///   a Git LFS pointer.
  package init(path: String) throws(VDSQError) {
    self.path = path
    let descriptor: FileDescriptor
    do {
      descriptor = try FileDescriptor.open(
        FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
    } catch {
      if let target = Self.linkTarget(path) {
        throw VDSQError(
          .missingInput,
          "\(path): a link to \(target), which does not exist; is the download complete?")
      }
      throw VDSQError(.missingInput, "\(path): cannot be opened: \(error)")
    }
    guard let length = try? descriptor.seek(offset: 0, from: .end),
      length < Int64.max, length >= 0
    else {
      try? descriptor.close()
      throw .badInput("\(path): this is not a regular file")
    }
    self.length = Int(length)
    source = .file(descriptor)
    if length < FileSignature.longestPointer, let signature, case .gitLFSPointer = signature {
      throw .badInput("\(path): \(signature.description)")
    }
  }

  /// A file in memory.
  ///
  /// - Parameter name: what error messages call it.
  init(name: String, contents: [UInt8]) {
    path = name
    length = contents.count
    source = .memory(contents)
  }

  /// The format of model files that the first bytes are of; nil if they are of none, or the file
  /// cannot be read.
  package var signature: FileSignature? {
    guard let start = try? bytes(at: 0, count: min(length, FileSignature.length)) else {
      return nil
    }
    return start.withUnsafeBytes { FileSignature($0) }
  }

  deinit {
    if case .file(let descriptor) = source { try? descriptor.close() }
  }

  /// - Throws: `badInput` if the file ends before `count` bytes.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(VDSQError) {
    let descriptor: FileDescriptor
    switch source {
    case .file(let own): descriptor = own
    case .memory(let contents):
      guard offset >= 0, offset <= contents.count, buffer.count <= contents.count - offset else {
        throw .badInput("\(path): truncated: it ends at byte \(contents.count)")
      }
      return buffer.copyBytes(from: contents[offset..<offset + buffer.count])
    }
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count: Int
      do {
        count = try descriptor.read(
          fromAbsoluteOffset: Int64(offset + done), into: rest)
      } catch {
        throw .badInput("\(path): cannot be read: \(error)")
      }
      guard count > 0 else {
        throw .badInput("\(path): truncated: it ends at byte \(offset + done)")
      }
      done += count
    }
  }

  /// Reads `count` bytes at a byte offset.
  ///
  /// - Throws: `badInput` if the range is not within the file, or the file cannot be read.
  package func bytes(at offset: Int, count: Int) throws(VDSQError) -> [UInt8] {
    guard offset >= 0, count >= 0, offset <= length, count <= length - offset else {
      throw .badInput("\(path): truncated: \(length) bytes, \(count) wanted at \(offset)")
    }
    var bytes = [UInt8](repeating: 0, count: count)
    try bytes.withMutableBytes { (buffer) throws(VDSQError) in
      try read(into: buffer, at: offset)
    }
    return bytes
  }

  /// The content of a small file.
  ///
  /// - Throws: `badInput` if it is larger than `limit` bytes.
  package static func contents(
    of path: String, limit: Int = 256 << 20
  ) throws(VDSQError) -> [UInt8] {
    let file = try InputFile(path: path)
    guard file.length <= limit else {
      throw .badInput("\(path): \(file.length) bytes are more than such a file has")
    }
    return try file.bytes(at: 0, count: file.length)
  }

  /// Whether a path is there: a file or folder that can be opened for reading, or a link to
  /// something that is not there.
  package static func isPresent(_ path: String) -> Bool {
    exists(path) || linkTarget(path) != nil
  }

  /// What a symbolic link points to; nil for other files.
  private static func linkTarget(_ path: String) -> String? {
    var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = target.withUnsafeMutableBytes {
      readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    return count < 0 ? nil : String(decoding: target[..<count], as: UTF8.self)
  }

  /// Whether a file can be opened for reading.
  package static func exists(_ path: String) -> Bool {
    guard
      let descriptor = try? FileDescriptor.open(FilePath(path), .readOnly, options: .nonBlocking)
    else { return false }
    try? descriptor.close()
    return true
  }
}
