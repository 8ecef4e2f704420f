import NIOHTTP1

/// Who may ask.
struct AccessRules: Sendable {
  private let keys: [[UInt8]]
  /// Names by which a browser may reach a server without keys; nil for any.
  private let hosts: [String]?

  init(_ options: ServerOptions) {
    keys = options.keys.map { Array($0.utf8) }
    // A page whose name is made to lead here must not read what only this machine may.
    hosts = options.keys.isEmpty ? options.hosts.map { $0.lowercased() } : nil
  }

  /// - Throws: `unauthorized` without a key, `forbidden` for pages of other origins.
  func check(_ request: HTTPRequest, _ route: Route) throws(RequestError) {
    let host = request.headers.first(name: "host")
    if let hosts, let host, route != .health, !Self.isOwn(host),
      !hosts.contains(Self.name(host))
    {
      throw RequestError(
        .forbidden,
        "host: \(host.prefix(100)) is not allowed; start the server with --allow-host, or with a key"
      )
    }
    if let origin = request.headers.first(name: "origin"), let host,
      request.method != .GET, request.method != .HEAD
    {
      let authority = origin.split(separator: "/").last.map(String.init) ?? ""
      guard authority.lowercased() == host.lowercased() else {
        throw RequestError(.forbidden, "pages of other origins may not ask this server")
      }
    }
    guard !keys.isEmpty, !route.isOpen else { return }
    guard let header = request.headers.first(name: "authorization"),
      header.lowercased().hasPrefix("bearer ")
    else {
      throw RequestError(.unauthorized, "a key is needed: \"authorization: Bearer KEY\"")
    }
    let given = Array(header.dropFirst(7).utf8)
    var isKnown = false
    for key in keys where Self.isEqual(key, given) { isKnown = true }
    guard isKnown else { throw RequestError(.unauthorized, "the key is not known") }
  }

  /// Compares in a time that does not depend on where keys differ.
  private static func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    var difference: UInt8 = a.count == b.count ? 0 : 1
    for i in a.indices { difference |= a[i] ^ (b.isEmpty ? 0 : b[i % b.count]) }
    return difference == 0
  }

  private static func name(_ host: String) -> String {
    if host.hasPrefix("[") { return String(host.prefix { $0 != "]" }.dropFirst()).lowercased() }
    return String(host.prefix { $0 != ":" }).lowercased()
  }

  /// Whether a host is an address, or this machine's own name: no name server can say another.
  private static func isOwn(_ host: String) -> Bool {
    let name = name(host)
    return host.hasPrefix("[") || name == "localhost" || name.isEmpty
      || name.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || $0 == UInt8(ascii: ".") }
  }
}
