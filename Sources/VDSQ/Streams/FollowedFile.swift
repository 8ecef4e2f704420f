import CShims
import VDSQFormat
import VDSQStreams

/// A file that may be replaced while a program runs: renamed over, or overwritten where it lies, well
/// or badly. Tells when it should be read again. Allocates nothing while the file stays as it is.
package struct FollowedFile {
  package let path: String
  /// The state of the file when it was last read.
  private var stamp: FileStamp?
  /// The checksum of what was read. A change within the resolution of the file system's clock, and of
  /// the same length, does not show in the stamp.
  private var checksum: UInt32 = 0
  /// Whether the last attempt to read failed.
  private var hasFailed = false
  private var isMissing = false
  private var reloads = StreamSignals.reloads
  /// When to look at the file again although its stamp is the same, in nanoseconds; nil for never.
  private var nextLook: Int64?
  private var delay: Int64 = 0
  /// Whether it was a regular file at first. A pipe can be read only once.
  private let wasRegular: Bool

  /// How long a file may change without another stamp: the resolution of FAT's clock.
  private static let clockResolution: Int64 = 2_000_000_000
  private static let firstDelay: Int64 = 50_000_000
  private static let longestDelay: Int64 = 5_000_000_000

  /// - Parameter path: the file, which is read now.
  package init(path: String) {
    self.path = path
    wasRegular = path.withCString { vdsq_is_regular($0) }
    guard wasRegular else { return }
    begin()
    nextLook = vdsq_now() + Self.clockResolution
  }

  /// Whether it is a regular file now, or was removed.
  package var isRegular: Bool {
    FileStamp(path: path) == nil || path.withCString { vdsq_is_regular($0) }
  }

  /// Whether the file should be read again, now. The caller reads it and tells what came of it.
  package mutating func isDue() -> Bool {
    guard wasRegular else { return false }
    let requested = StreamSignals.reloads
    if requested != reloads {
      reloads = requested
      return beginning()
    }
    guard let now = FileStamp(path: path) else {
      guard !isMissing else { return false }
      isMissing = true
      return true
    }
    if isMissing || now != stamp { return beginning() }
    guard let look = nextLook, vdsq_now() >= look else { return false }
    nextLook = nil
    if hasFailed { return beginning() }
    return vdsq_file_checksum(path) == checksum ? false : beginning()
  }

  /// The file was read.
  package mutating func succeeded() {
    (hasFailed, delay) = (false, 0)
    nextLook = vdsq_now() + Self.clockResolution
  }

  /// The file could not be read; a file that is being written will soon be complete. It is tried
  /// again after a while, which doubles.
  ///
  /// - Returns: whether this is the first failure since the last success.
  package mutating func failed() -> Bool {
    delay = min(max(Self.firstDelay, 2 * delay), Self.longestDelay)
    nextLook = vdsq_now() + delay
    defer { hasFailed = true }
    return !hasFailed
  }

  private mutating func beginning() -> Bool {
    begin()
    return true
  }

  /// The stamp is taken before reading, so that a replacement in the meantime is read again.
  private mutating func begin() {
    stamp = FileStamp(path: path)
    isMissing = stamp == nil
    checksum = vdsq_file_checksum(path)
  }
}
