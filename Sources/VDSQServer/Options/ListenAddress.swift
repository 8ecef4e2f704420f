/// Where a server listens.
package enum ListenAddress: Sendable, Equatable {
  case ip(host: String, port: Int)
  case unix(path: String)
  /// The sockets that systemd passes.
  case systemd

  /// `127.0.0.1:8080`, `[::1]:8080`, `:8080` for every address, `unix:/run/vdsq.sock` or `systemd`.
  package init?(_ text: String) {
    if text == "systemd" {
      self = .systemd
      return
    }
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      // The size of sockaddr_un's path.
      guard !path.isEmpty, path.utf8.count < 108 else { return nil }
      self = .unix(path: path)
      return
    }
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      port >= 0, port <= 65535
    else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.contains(":") {
      return nil
    }
    self = .ip(host: host.isEmpty ? "0.0.0.0" : host, port: port)
  }

  /// Whether only this machine can reach it.
  package var isLocal: Bool {
    switch self {
    case .ip(let host, _): host == "localhost" || host == "::1" || host.hasPrefix("127.")
    case .unix: true
    case .systemd: false
    }
  }
}
