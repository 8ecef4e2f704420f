import Glibc
import VDSQFormat

/// The file of a socket.
enum UnixSocket {
  /// Removes a socket that an earlier process left.
  ///
  /// - Throws: `usage` if there is something else of that name, or a process still listens.
  static func remove(_ path: String) throws(VDSQError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw .usage("--listen unix:\(path): there is a file of that name, which is no socket")
    }
    guard !hasListener(path) else {
      throw .usage("--listen unix:\(path): another process listens there")
    }
    unlink(path)
  }

  private static func hasListener(_ path: String) -> Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) {
      $0.copyBytes(from: Array(path.utf8).prefix(107))
    }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
  }
}
