import Glibc
public import VDSQFormat

/// A file that appears under its name only when it is complete.
///
/// The bytes go to a file without a name (`O_TMPFILE`), so that even a killed process leaves nothing
/// behind; where the file system has no such files, to a hidden one beside the target.
public final class AtomicFile {
  public let path: String
  public private(set) var position = 0
  private var descriptor: Int32
  private let folder: String
  private var temporary: String?
  private var buffer: [UInt8] = []
  private static let bufferLength = 1 << 18

  /// - Parameter replace: whether a file of that name may be replaced.
  /// - Throws: `usage` where the file exists and may not be replaced, or its folder cannot be
  ///   written to.
  public init(path: String, replace: Bool) throws(VDSQError) {
    self.path = path
    folder = Self.folder(of: path)
    descriptor = -1
    var status = stat()
    if lstat(path, &status) == 0 {
      guard status.st_mode & S_IFMT != S_IFDIR else { throw .usage("\(path): this is a folder") }
      guard replace else { throw .usage("\(path): the file exists; --force replaces it") }
      // A pipe or a device is written to, not replaced; that is not what this class is for.
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
    buffer.reserveCapacity(Self.bufferLength)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if let temporary { unlink(temporary) }
  }

  /// `O_TMPFILE`, a macro that Swift does not import.
  private var unnamedFile: Int32 {
    #if arch(arm64)
      0o20000000 | 0o40000
    #else
      0o20000000 | O_DIRECTORY
    #endif
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private func temporaryName() -> String {
    let name =
      path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? ""
    return "\(folder)/.\(name).\(getpid())"
  }

  /// - Throws: `internalFault` where the disk is full or fails.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) {
    position += bytes.count
    if buffer.count + bytes.count > Self.bufferLength { try flush() }
    if bytes.count >= Self.bufferLength {
      try put(bytes)
    } else {
      buffer.append(contentsOf: bytes)
    }
  }

  public func write(_ bytes: [UInt8]) throws(VDSQError) {
    try bytes.withBytes { (raw) throws(VDSQError) in try write(raw) }
  }

  /// Zeros up to a multiple of `alignment`.
  public func align(to alignment: Int) throws(VDSQError) {
    let rest = (alignment - position % alignment) % alignment
    try write([UInt8](repeating: 0, count: rest))
  }

  /// Leaves room for bytes that `rewrite` will bring.
  func skip(_ count: Int) throws(VDSQError) {
    try flush()
    guard lseek(descriptor, off_t(count), SEEK_CUR) >= 0 else { throw failed() }
    position += count
  }

  /// Overwrites bytes that were written before.
  public func rewrite(_ bytes: [UInt8], at offset: Int) throws(VDSQError) {
    try flush()
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        pwrite(descriptor, $0.baseAddress! + done, bytes.count - done, off_t(offset + done))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failed() }
      done += count
    }
  }

  /// Makes the file durable and gives it its name, in one step that either happens or does not.
  public func commit() throws(VDSQError) {
    try flush()
    guard fsync(descriptor) == 0 else { throw failed() }
    if temporary == nil {
      let name = temporaryName()
      unlink(name)
      let source = "/proc/self/fd/\(descriptor)"
      guard linkat(AT_FDCWD, source, AT_FDCWD, name, Int32(AT_SYMLINK_FOLLOW)) == 0 else {
        throw failed()
      }
      temporary = name
    }
    guard rename(temporary!, path) == 0 else { throw failed() }
    temporary = nil
  }

  private func flush() throws(VDSQError) {
    let full = buffer
    buffer.removeAll(keepingCapacity: true)
    try full.withBytes { (raw) throws(VDSQError) in try put(raw) }
  }

  private func put(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) {
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failed() }
      done += count
    }
  }

  private func failed() -> VDSQError {
    VDSQError(
      .internalFault,
      "\(path): cannot be written: \(lastErrorText()); the old file, if any, is as it was")
  }
}
