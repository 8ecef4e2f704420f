import CShims
import Glibc
package import VDSQFormat

/// A file that gets its name only when it is complete.
///
/// The bytes go to a file without a name (`O_TMPFILE`), so that even a killed process leaves
/// nothing behind. If the file system does not support this, they go to a hidden file beside the
/// target, which signals that end the process remove.
///
/// The path `-` stands for standard output, which gets all bytes at the end.
///
/// A file that is replaced keeps its mode, its owner and its extended attributes, as far as the
/// process may set them. If the name is a symbolic link, the file behind it is replaced.
package final class AtomicFile {
  /// The name that the file gets when it is complete, for error messages.
  package let path: String
  /// The offset of the next byte to be written, in bytes.
  package private(set) var position = 0
  private var descriptor: Int32
  /// The path behind symbolic links.
  private let target: String
  private let isStandardOutput: Bool
  /// Whether there was a file of that name when this one was begun.
  private let replaces: Bool
  private var temporary: String?
  private var buffer: [UInt8] = []
  /// The offset at which the buffer will be written.
  private var bufferStart = 0
  private let usesThread: Bool
  private var behind: WriteBehind?
  private static let bufferLength = 1 << 20

  /// - Parameter replace: whether a file of that name may be replaced.
  /// - Parameter usesThread: whether full buffers are written on a separate thread.
  /// - Throws: `usage` if the name is empty, the file exists and may not be replaced, or there is
  ///   no such folder; `internalFault` if the folder cannot be written to.
  package init(path: String, replace: Bool, usesThread: Bool = false) throws(VDSQError) {
    self.path = path
    self.usesThread = usesThread
    descriptor = -1
    var status = stat()
    isStandardOutput = Self.isStandardOutput(path)
    guard !path.utf8.isEmpty else { throw .usage("an output's name is empty") }
    if isStandardOutput {
      guard isatty(1) == 0 else {
        throw .usage("-: standard output is a terminal; redirect it, or name a file")
      }
      target = path
      replaces = false
      let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
      descriptor = open(folder, unnamedFile | O_RDWR | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else {
        throw VDSQError(
          .internalFault, "-: \(folder) has no room for the output: \(lastErrorText())")
      }
      return
    }
    if lstat(path, &status) == 0 {
      guard status.st_mode & S_IFMT != S_IFDIR else { throw .usage("\(path): this is a folder") }
    }
    if !replace { try Self.checkAbsent(path) }
    target = Self.target(of: path)
    replaces = stat(path, &status) == 0
    if replaces {
      // Pipes and devices are written to, not replaced, so this class does not support them.
      guard status.st_mode & S_IFMT == S_IFREG else {
        throw .usage("\(path): this is not a regular file")
      }
    }
    // Nobody else may read what replaces a private file, not even while it is written.
    let mode: mode_t = replaces ? 0o600 : 0o666
    descriptor = open(folder, unnamedFile | O_RDWR | O_CLOEXEC, mode)
    if descriptor >= 0, access(Self.name(of: descriptor), F_OK) != 0 {
      // Without /proc an unnamed file cannot get a name.
      close(descriptor)
      descriptor = -1
    }
    if descriptor < 0 {
      try createTemporary { name in
        descriptor = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, mode)
        return descriptor >= 0
      }
    }
  }

  /// - Throws: `usage` if there is a file of that name.
  package static func checkAbsent(_ path: String) throws(VDSQError) {
    var status = stat()
    guard !isStandardOutput(path), lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw .usage("\(path): this is a folder") }
    throw .usage("\(path): the file exists", .replacesFiles)
  }

  private var folder: String { Self.folder(of: target) }

  /// Whether a path stands for standard output.
  package static func isStandardOutput(_ path: String) -> Bool { path == "-" }

  /// The name under which this process can reach an open file.
  private static func name(of descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }

  /// Makes a hidden file beside the target, under a name that nobody uses.
  ///
  /// - Parameter create: makes a file of that name unless there is one; returns whether it did,
  ///   with `errno`.
  private func createTemporary(_ create: (_ name: String) -> Bool) throws(VDSQError) {
    for number in 0..<1000 {
      let name = "\(folder)/.\(Self.lastPart(of: target)).\(getpid())-\(number)"
      if create(name) {
        // A path that is too long is left behind when the process is killed.
        _ = vdsq_remove_on_signal(name)
        temporary = name
        return
      }
      if errno != EEXIST { break }
    }
    // A name that leads nowhere, or a folder in which nothing can be made.
    let isName = [ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP].contains(errno)
    throw VDSQError(
      isName ? .usage : .internalFault, "\(path): cannot be written: \(lastErrorText())")
  }

  deinit {
    behind?.stop()
    if descriptor >= 0 { close(descriptor) }
    if let temporary {
      unlink(temporary)
      vdsq_keep_on_signal(temporary)
    }
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

  private static func lastPart(of path: String) -> String {
    path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? ""
  }

  /// The path that a path leads to through symbolic links, which need not exist. Links of folders
  /// are not resolved, as they lead to the same file anyway.
  package static func target(of path: String) -> String {
    var target = path
    // As many as the kernel follows; a circle fails when the file is opened.
    for _ in 0..<40 {
      var link = [UInt8](repeating: 0, count: Int(PATH_MAX))
      let length = link.withUnsafeMutableBytes {
        readlink(target, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
      }
      guard length > 0 else { return target }
      let text = String(decoding: link[..<length], as: UTF8.self)
      target = text.utf8.first == UInt8(ascii: "/") ? text : "\(folder(of: target))/\(text)"
    }
    return target
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

  /// Calls `body` with a path at which the bytes that were written so far can be read.
  func withReadablePath<Result>(
    _ body: (_ path: String) throws(VDSQError) -> Result
  ) throws(VDSQError) -> Result {
    try drain()
    return try body(temporary ?? Self.name(of: descriptor))
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
    if replaces {
      let status = vdsq_copy_attributes(target, descriptor)
      guard status == 0 || status == ENOENT else { throw failed(status) }
    }
    // Reserved space at the end belongs to the file even if it was never written.
    guard ftruncate(descriptor, off_t(position)) == 0 else { throw failed(errno) }
    if isStandardOutput { return try copyToStandardOutput() }
    guard fsync(descriptor) == 0 else { throw failed(errno) }
    if temporary == nil {
      let source = Self.name(of: descriptor)
      try createTemporary {
        linkat(AT_FDCWD, source, AT_FDCWD, $0, Int32(AT_SYMLINK_FOLLOW)) == 0
      }
    }
    guard rename(temporary!, target) == 0 else { throw failed(errno) }
    vdsq_keep_on_signal(temporary!)
    temporary = nil
    // Some file systems report only now that bytes could not be stored.
    let closed = close(descriptor)
    descriptor = -1
    guard closed == 0 else { throw failed(errno) }
  }

  private func copyToStandardOutput() throws(VDSQError) {
    var offset = off_t(0)
    var piece = [UInt8](repeating: 0, count: Self.bufferLength)
    while offset < position {
      let count = piece.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress, $0.count, offset)
      }
      guard count > 0 else { throw failed(count < 0 ? errno : EIO) }
      var done = 0
      while done < count {
        let part = piece.withUnsafeBytes { Glibc.write(1, $0.baseAddress! + done, count - done) }
        if part < 0, errno == EINTR { continue }
        guard part > 0 else { throw failed(part < 0 ? errno : EIO) }
        done += part
      }
      offset += off_t(count)
    }
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
