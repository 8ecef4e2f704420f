import Glibc
package import VDSQFormat

/// A file that gets its name only when it is complete.
///
/// The bytes go to a file without a name (`O_TMPFILE`), so that even a killed process leaves
/// nothing behind. If the file system does not support this, they go to a hidden file beside the
/// target.
package final class AtomicFile {
  /// The name that the file gets when it is complete.
  package let path: String
  /// The offset of the next byte to be written, in bytes.
  package private(set) var position = 0
  private var descriptor: Int32
  private let folder: String
  private var temporary: String?
  private var buffer: [UInt8] = []
  /// The offset at which the buffer will be written.
  private var bufferStart = 0
  private let usesThread: Bool
  private var behind: WriteBehind?
  private static let bufferLength = 1 << 20

  /// - Parameter replace: whether a file of that name may be replaced.
  /// - Parameter usesThread: whether full buffers are written on a separate thread.
  /// - Throws: `usage` if the file exists and may not be replaced, or its folder cannot be written
  ///   to.
  package init(path: String, replace: Bool, usesThread: Bool = false) throws(VDSQError) {
    self.path = path
    self.usesThread = usesThread
    folder = Self.folder(of: path)
    descriptor = -1
    var status = stat()
    if lstat(path, &status) == 0 {
      guard status.st_mode & S_IFMT != S_IFDIR else { throw .usage("\(path): this is a folder") }
      guard replace else { throw .usage("\(path): the file exists", .replacesFiles) }
      // Pipes and devices are written to, not replaced, so this class does not support them.
      guard status.st_mode & S_IFMT == S_IFREG || status.st_mode & S_IFMT == S_IFLNK else {
        throw .usage("\(path): this is not a regular file")
      }
    }
    descriptor = open(folder, unnamedFile | O_RDWR | O_CLOEXEC, 0o644)
    if descriptor < 0 {
      let name = temporaryName()
      descriptor = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else {
        throw .usage("\(path): cannot be written: \(lastErrorText())")
      }
      temporary = name
    }
  }

  deinit {
    behind?.stop()
    if descriptor >= 0 { close(descriptor) }
    if let temporary { unlink(temporary) }
  }

  /// `O_TMPFILE`, which is a macro that Swift does not import.
  private var unnamedFile: Int32 {
    #if arch(arm64)
      0o20000000 | 0o40000
    #else
      0o20000000 | O_DIRECTORY
    #endif
  }

  /// The folder of a path's file.
  package static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private func temporaryName() -> String {
    let name =
      path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? ""
    return "\(folder)/.\(name).\(getpid())"
  }

  /// - Throws: `internalFault` if the disk is full or fails.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) {
    position += bytes.count
    if bytes.count >= Self.bufferLength {
      try flush()
      try put(Array(bytes))
    } else {
      if buffer.count + bytes.count > Self.bufferLength { try flush() }
      buffer.append(contentsOf: bytes)
    }
  }

  /// Appends bytes.
  ///
  /// - Throws: `internalFault` if the disk is full or fails.
  package func write(_ bytes: [UInt8]) throws(VDSQError) {
    try bytes.withBytes { (raw) throws(VDSQError) in try write(raw) }
  }

  /// Appends zeros up to a multiple of `alignment`.
  package func align(to alignment: Int) throws(VDSQError) {
    let rest = (alignment - position % alignment) % alignment
    try write([UInt8](repeating: 0, count: rest))
  }

  /// Reserves space for bytes that `rewrite` will write.
  func skip(_ count: Int) throws(VDSQError) {
    try flush()
    position += count
    bufferStart = position
  }

  /// Overwrites bytes that were written before.
  package func rewrite(_ bytes: [UInt8], at offset: Int) throws(VDSQError) {
    try drain()
    let status = bytes.withUnsafeBytes { WriteBehind.write($0, to: descriptor, at: offset) }
    guard status == 0 else { throw failed(status) }
  }

  /// Reads bytes that were written before.
  func read(at offset: Int, count: Int) throws(VDSQError) -> [UInt8] {
    try drain()
    var bytes = [UInt8](repeating: 0, count: count)
    let status = bytes.withUnsafeMutableBytes { raw -> Int32 in
      var done = 0
      while done < count {
        let part = pread(descriptor, raw.baseAddress! + done, count - done, off_t(offset + done))
        if part < 0, errno == EINTR { continue }
        guard part > 0 else { return part < 0 ? errno : EIO }
        done += part
      }
      return 0
    }
    guard status == 0 else { throw failed(status) }
    return bytes
  }

  /// Removes bytes at the end.
  func cut(to length: Int) throws(VDSQError) {
    try drain()
    guard ftruncate(descriptor, off_t(length)) == 0 else { throw failed(errno) }
    position = length
    bufferStart = length
  }

  /// Syncs the file and gives it its name atomically.
  package func commit() throws(VDSQError) {
    try drain()
    // Reserved space at the end belongs to the file even if it was never written.
    guard ftruncate(descriptor, off_t(position)) == 0, fsync(descriptor) == 0 else {
      throw failed(errno)
    }
    if temporary == nil {
      let name = temporaryName()
      unlink(name)
      let source = "/proc/self/fd/\(descriptor)"
      guard linkat(AT_FDCWD, source, AT_FDCWD, name, Int32(AT_SYMLINK_FOLLOW)) == 0 else {
        throw failed(errno)
      }
      temporary = name
    }
    guard rename(temporary!, path) == 0 else { throw failed(errno) }
    temporary = nil
  }

  private func flush() throws(VDSQError) {
    guard !buffer.isEmpty else { return }
    let full = buffer
    buffer = []
    buffer.reserveCapacity(Self.bufferLength)
    try put(full)
  }

  private func put(_ bytes: [UInt8]) throws(VDSQError) {
    guard !bytes.isEmpty else { return }
    if usesThread, behind == nil, bytes.count >= Self.bufferLength / 2 {
      behind = WriteBehind(descriptor: descriptor)
    }
    let status =
      behind?.put(bytes, at: bufferStart)
      ?? bytes.withUnsafeBytes { WriteBehind.write($0, to: descriptor, at: bufferStart) }
    guard status == 0 else { throw failed(status) }
    bufferStart += bytes.count
  }

  /// Waits until all bytes have been passed to the system.
  private func drain() throws(VDSQError) {
    try flush()
    let status = behind?.drain() ?? 0
    guard status == 0 else { throw failed(status) }
  }

  private func failed(_ status: Int32) -> VDSQError {
    VDSQError(
      .internalFault,
      "\(path): cannot be written: \(String(cString: strerror(status))); the old file, if any, is as it was"
    )
  }
}
