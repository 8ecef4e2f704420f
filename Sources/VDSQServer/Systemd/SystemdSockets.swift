import Glibc
import VDSQFormat

/// The sockets that systemd opened for the service (sd_listen_fds(3)).
package enum SystemdSockets {
  private static let first: Int32 = 3

  /// - Throws: `usage` if there are none.
  static func descriptors() throws(VDSQError) -> [Int32] {
    guard let process = number("LISTEN_PID"), let count = number("LISTEN_FDS"),
      process == Int(getpid()), count >= 1, count <= 64
    else {
      throw .usage(
        "--listen systemd: systemd passed no sockets; start the service by its socket unit")
    }
    let all = (0..<Int32(count)).map { first + $0 }
    for descriptor in all {
      var type: Int32 = 0
      var size = socklen_t(MemoryLayout<Int32>.size)
      guard getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0,
        type == Int32(SOCK_STREAM.rawValue)
      else { throw .usage("--listen systemd: descriptor \(descriptor) is no stream socket") }
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }
    return all
  }

  /// Whether systemd passed sockets to this process.
  package static var arePassed: Bool { number("LISTEN_PID") == Int(getpid()) }

  private static func number(_ name: String) -> Int? {
    getenv(name).flatMap { Int(String(cString: $0)) }
  }
}
