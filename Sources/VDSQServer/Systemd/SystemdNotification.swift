import Glibc

/// Tells systemd what the service does (sd_notify(3)); nothing without systemd.
enum SystemdNotification {
  /// - Parameter state: such as `READY=1`.
  static func send(_ state: String) {
    guard let variable = getenv("NOTIFY_SOCKET") else { return }
    var path = Array(String(cString: variable).utf8)
    var address = sockaddr_un()
    guard path.count > 1, path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
    let length = MemoryLayout<sa_family_t>.size + path.count
    // A name in the abstract namespace begins with a zero byte.
    if path[0] == UInt8(ascii: "@") { path[0] = 0 }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { return }
    defer { close(socket) }
    let message = Array(state.utf8)
    _ = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(
          socket, message, message.count, Int32(MSG_NOSIGNAL), $0, socklen_t(length))
      }
    }
  }
}
