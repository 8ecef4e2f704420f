import CShims

/// Identifies the state of a file without reading it: device, inode, length and time of change.
package struct FileStamp: Equatable, Sendable {
  /// The length in bytes.
  package let length: Int64
  private let device, inode: UInt64
  private let seconds, nanoseconds: Int64

  /// Returns nil if there is no such file.
  package init?(path: String) {
    var stamp = vdsq_file_stamp()
    guard path.withCString({ vdsq_stamp_file($0, &stamp) }) else { return nil }
    (device, inode, length) = (stamp.device, stamp.inode, stamp.length)
    (seconds, nanoseconds) = (stamp.seconds, stamp.nanoseconds)
  }
}
