import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import VDSQFormat

/// The sockets, and the connections that they accept.
final class HTTPServer: @unchecked Sendable {
  let options: ServerOptions
  let metrics: ServerMetrics
  private let router: Router
  private let logger: Logger
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private var loop: any EventLoop { group.next() }
  private let certificate = NIOLockedValueBox<NIOSSLContext?>(nil)
  private var listeners: [any Channel] = []
  // Used on the loop alone.
  private var connections: [ObjectIdentifier: HTTPConnection] = [:]
  private var bodyBytes = 0
  private(set) var isStopping = false
  private var hasStopped: EventLoopPromise<Void>?

  init(
    _ options: ServerOptions, router: Router, metrics: ServerMetrics, log: Logger
  ) {
    (self.options, self.router, self.metrics, logger) = (options, router, metrics, log)
  }

  /// Listens at all addresses.
  ///
  /// - Throws: `usage` if an address cannot be used, or a certificate cannot be read.
  func start() async throws(VDSQError) -> [String] {
    try readCertificate()
    var names: [String] = []
    for address in options.addresses {
      do {
        for listener in try await listen(at: address) {
          listeners.append(listener)
          names.append(Self.name(of: listener, address))
        }
      } catch let error as VDSQError {
        throw error
      } catch {
        throw .usage("--listen: \(error)")
      }
    }
    loop.scheduleRepeatedTask(initialDelay: .milliseconds(250), delay: .milliseconds(250)) {
      [weak self] _ in self?.checkDeadlines()
    }
    return names
  }

  private static func name(of listener: any Channel, _ address: ListenAddress) -> String {
    if case .unix(let path) = address { return "unix:\(path)" }
    return listener.localAddress.map { local in
      local.port.map { "\(local.ipAddress ?? ""):\($0)" }
        ?? (local.pathname.map { "unix:\($0)" } ?? "")
    } ?? "\(address)"
  }

  /// Reads the certificate, at the start and again after a reload.
  func readCertificate() throws(VDSQError) {
    guard let tls = options.tls else { return }
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(tls.certificate)
      let key = try NIOSSLPrivateKey(file: tls.key, format: .pem)
      let configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
      let context = try NIOSSLContext(configuration: configuration)
      certificate.withLockedValue { $0 = context }
    } catch {
      throw .usage("--tls-certificate \(tls.certificate), --tls-key \(tls.key): \(error)")
    }
  }

  private func listen(at address: ListenAddress) async throws -> [any Channel] {
    let limits = options.limits
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(ChannelOptions.backlog, value: 1024)
      .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
      // A client that does not read gets no further answer.
      .childChannelOption(ChannelOptions.maxMessagesPerRead, value: 1)
      .childChannelOption(
        ChannelOptions.recvAllocator,
        value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 1024, maximum: 32768)
      )
      .childChannelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture { try self.configure(channel, limits) }
      }
    switch address {
    case .ip(let host, let port):
      return [try await bootstrap.bind(host: host, port: port).get()]
    case .unix(let path):
      try UnixSocket.remove(path)
      return [try await bootstrap.bind(unixDomainSocketPath: path).get()]
    case .systemd:
      var channels: [any Channel] = []
      for descriptor in try SystemdSockets.descriptors() {
        channels.append(try await bootstrap.withBoundSocket(descriptor).get())
      }
      return channels
    }
  }

  private func configure(_ channel: any Channel, _ limits: ServerOptions.Limits) throws {
    guard connections.count < limits.connections else {
      metrics.failed(.connections)
      let error = RequestError(.connections, "too many connections", retryAfter: 1)
      let body = ErrorBody.encoded(error, for: .none, status: 503)
      let head =
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-type: application/json\r\n"
        + "content-length: \(body.count)\r\nconnection: close\r\n\r\n"
      try channel.pipeline.syncOperations.addHandler(RefusingHandler(Array(head.utf8) + body))
      return
    }
    let pipeline = channel.pipeline.syncOperations
    if let context = certificate.withLockedValue({ $0 }) {
      try pipeline.addHandler(NIOSSLServerHandler(context: context))
    }
    var size = NIOHTTPDecoderLimitConfiguration()
    size.maxHeaderFieldSize = 16 << 10
    size.maxHeaderListSize = 32 << 10
    size.maxHeaderFieldCount = 100
    try pipeline.addHandler(
      ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: size)))
    try pipeline.addHandler(HTTPConnection(self, router: router))
  }

  // MARK: On the loop

  func opened(_ connection: HTTPConnection) {
    connections[ObjectIdentifier(connection)] = connection
    metrics.connected(connections.count)
  }

  func closed(_ connection: HTTPConnection) {
    connections[ObjectIdentifier(connection)] = nil
    metrics.connected(connections.count)
    if isStopping, connections.isEmpty { hasStopped?.succeed() }
  }

  /// Counts bytes of a body that is being read.
  ///
  /// - Returns: whether there is memory for them.
  func count(bodyBytes bytes: Int) -> Bool {
    guard bodyBytes + bytes <= options.limits.bodies else { return false }
    bodyBytes += bytes
    return true
  }

  func discount(bodyBytes bytes: Int) { bodyBytes -= bytes }

  var isFull: RequestError {
    RequestError(.queueFull, "the requests being read are too long together", retryAfter: 1)
  }

  func log(_ answer: HTTPAnswer, _ route: Route) {
    guard answer.status >= 500, answer.failure != .connections else {
      logger.debug(
        "answered", metadata: ["route": "\(route.rawValue)", "status": "\(answer.status)"])
      return
    }
    logger.error(
      "a request failed",
      metadata: [
        "route": "\(route.rawValue)", "status": "\(answer.status)",
        "answer": "\(String(decoding: answer.body.prefix(300), as: UTF8.self))",
      ])
  }

  private func checkDeadlines() {
    let now = Clock.now
    for connection in Array(connections.values) { connection.checkDeadline(now) }
  }

  // MARK: The end

  /// Accepts nothing more, and waits until what was taken is answered, for a while at most.
  func stop() async {
    for listener in listeners { try? await listener.close().get() }
    for case .unix(let path) in options.addresses { try? UnixSocket.remove(path) }
    let promise = loop.makePromise(of: Void.self)
    let limit = options.limits.stopping
    loop.execute { [self] in
      isStopping = true
      hasStopped = promise
      for connection in Array(connections.values) { connection.stop() }
      if connections.isEmpty { return promise.succeed() }
      loop.scheduleTask(in: .nanoseconds(limit)) { [self] in
        for connection in Array(connections.values) { connection.close() }
      }
    }
    try? await promise.futureResult.get()
  }

  func shutDown() async { try? await group.shutdownGracefully() }
}

/// Answers a connection for which there is no room, and closes it.
private final class RefusingHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  private let answer: [UInt8]

  init(_ answer: [UInt8]) { self.answer = answer }

  func channelActive(context: ChannelHandlerContext) {
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer))).whenComplete { _ in
      channel.close(mode: .output, promise: nil)
      channel.eventLoop.scheduleTask(in: .milliseconds(200)) { channel.close(promise: nil) }
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
}
