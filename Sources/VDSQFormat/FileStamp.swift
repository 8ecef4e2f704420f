import CShims

/// What tells one state of a file from another without reading it: which file it is, its length and when it was
/// changed.
public struct FileStamp: Equatable, Sendable {
  private let device, inode: UInt64
  private let length, seconds, nanoseconds: Int64

  /// Returns nil where there is no such file.
  public init?(path: String) {
    var stamp = vdsq_file_stamp()
    guard path.withCString({ vdsq_stamp_file($0, &stamp) }) else { return nil }
    (device, inode, length) = (stamp.device, stamp.inode, stamp.length)
    (seconds, nanoseconds) = (stamp.seconds, stamp.nanoseconds)
  }
}
