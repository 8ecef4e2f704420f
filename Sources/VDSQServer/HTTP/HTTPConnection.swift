import Logging
import NIOCore
import NIOHTTP1

/// A connection: reads one request after another, has it answered, and writes the answer.
///
/// While a request is answered nothing more is read, so that a client cannot fill the memory with
/// requests that wait. What is too long or too slow is refused before it is whole.
final class HTTPConnection: ChannelInboundHandler, ChannelOutboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Phase {
    /// Waits for the first byte of a request.
    case idle
    case reading
    case answering
    /// The last answer was written; what still comes is dropped.
    case closing
  }

  private let server: HTTPServer
  private let router: Router
  private let limits: ServerOptions.Limits
  private var context: ChannelHandlerContext?
  private var phase = Phase.idle
  private var head: HTTPRequestHead?
  private var body: [UInt8] = []
  /// Bytes that were counted at the server for this connection.
  private var counted = 0
  private var waiting: [HTTPServerRequestPart] = []
  private var start: Int64 = 0
  private var closesAfterAnswer = false
  /// Whether the answer comes in parts, and its head was written.
  private var isStreaming = false
  /// Whether the answer is a generated text.
  private var isWriting = false
  /// Whether a body of unknown length is written in chunks; HTTP 1.0 ends it by the connection.
  private var knowsChunks = true
  private var isHeld = false
  private var cancel: (@Sendable () -> Void)?
  private var hasEnded = false
  private var unread = 0
  /// When the connection is given up (`Clock.now`).
  private(set) var deadline: Int64

  init(_ server: HTTPServer, router: Router) {
    (self.server, self.router, limits) = (server, router, server.options.limits)
    deadline = Clock.now + server.options.limits.reading
  }

  // MARK: Channel

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func channelActive(context: ChannelHandlerContext) {
    server.opened(self)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    end()
    self.context = nil
  }

  private func end() {
    guard !hasEnded else { return }
    hasEnded = true
    discount()
    cancel?()
    server.closed(self)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard error is HTTPParserError else { return context.close(promise: nil) }
    guard phase == .idle || phase == .reading else {
      // What follows a request that is being answered is not HTTP.
      closesAfterAnswer = true
      return
    }
    refuse(RequestError(.malformed, "this is not HTTP: \(error)"), for: .none)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // The client has sent everything; it still gets what it asked for, unless that is a text that
    // has to be generated.
    if let event = event as? ChannelEvent, event == .inputClosed {
      switch phase {
      case .idle, .reading: context.close(promise: nil)
      case .answering, .closing: closesAfterAnswer = true
      }
      // A text takes long, and a client that waits for one keeps its side open.
      if phase == .answering, isWriting { cancel?() }
      return
    }
    context.fireUserInboundEventTriggered(event)
  }

  func read(context: ChannelHandlerContext) {
    // While a request is answered, the kernel keeps what follows.
    if phase == .answering, !waiting.isEmpty || isHeld {
      isHeld = true
    } else {
      context.read()
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if phase == .answering { isHeld = true }
    context.fireChannelReadComplete()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let part = unwrapInboundIn(data)
    switch phase {
    case .answering: waiting.append(part)
    case .closing:
      // A client that goes on sending is not listened to for ever.
      if case .body(let bytes) = part { unread += bytes.readableBytes }
      if unread > 16 << 20 { context.close(promise: nil) }
    case .idle, .reading: take(part)
    }
  }

  private func take(_ part: HTTPServerRequestPart) {
    switch part {
    case .head(let head): begin(head)
    case .body(let bytes): add(bytes)
    case .end: if phase == .reading { answer() }
    }
  }

  private func begin(_ head: HTTPRequestHead) {
    phase = .reading
    self.head = head
    start = Clock.now
    deadline = start + limits.reading
    knowsChunks = head.version == .http1_1
    closesAfterAnswer = !head.isKeepAlive || !knowsChunks
    body = []
    let route = Route(path: HTTPRequest.path(of: head.uri))
    if let length = head.headers.first(name: "content-length").flatMap(Int.init) {
      guard length <= limits.body else { return refuse(tooLarge, for: route) }
      guard server.count(bodyBytes: length) else { return refuse(server.isFull, for: route) }
      counted = length
      body.reserveCapacity(length)
    }
    if let expectation = head.headers.first(name: "expect") {
      guard expectation.lowercased() == "100-continue" else {
        return refuse(RequestError(.malformed, "expect: \(expectation) is not known"), for: route)
      }
      write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
    }
  }

  private var tooLarge: RequestError {
    RequestError(.bodyTooLarge, "a body has at most \(limits.body) bytes; send fewer texts")
  }

  private func add(_ bytes: ByteBuffer) {
    guard phase == .reading else { return }
    let route = Route(path: HTTPRequest.path(of: head?.uri ?? ""))
    let length = body.count + bytes.readableBytes
    guard length <= limits.body else { return refuse(tooLarge, for: route) }
    if length > counted {
      guard server.count(bodyBytes: length - counted) else {
        return refuse(server.isFull, for: route)
      }
      counted = length
    }
    bytes.withUnsafeReadableBytes { body.append(contentsOf: $0) }
  }

  private func discount() {
    server.discount(bodyBytes: counted)
    counted = 0
  }

  // MARK: Answers

  private func answer() {
    guard let head, let context else { return }
    phase = .answering
    // The engine answers everything that it takes.
    deadline = .max
    let request = HTTPRequest(head, body: body)
    body = []
    self.head = nil
    let route = Route(path: request.path)
    isWriting = route == .completions || route == .chatCompletions
    let isHead = request.method == .HEAD
    let loop = context.eventLoop
    let bound = NIOLoopBound(self, eventLoop: loop)
    cancel = router.answer(request) { answer in
      if loop.inEventLoop {
        bound.value.write(answer, for: route, isHead: isHead)
      } else {
        loop.execute { bound.value.write(answer, for: route, isHead: isHead) }
      }
    }
  }

  /// Refuses a request that is not whole, and closes the connection behind the answer.
  private func refuse(_ error: RequestError, for route: Route) {
    phase = .answering
    closesAfterAnswer = true
    body = []
    var answer = HTTPAnswer(error, for: route)
    answer.closes = true
    write(answer, for: route, isHead: head?.method == .HEAD)
  }

  private func write(_ answer: HTTPAnswer, for route: Route, isHead: Bool) {
    if !answer.continues {
      cancel = nil
      discount()
    }
    guard let context, phase == .answering else { return }
    let closes = closesAfterAnswer || answer.closes || server.isStopping
    var buffer = context.channel.allocator.buffer(capacity: answer.body.count + 256)
    if !isStreaming { buffer.writeString(head(of: answer, closes: closes)) }
    if !isHead { write(answer, to: &buffer) }
    guard !answer.continues else {
      isStreaming = true
      context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
      // What a client does not read must not gather.
      deadline =
        context.channel.isWritable ? .max : min(deadline, Clock.now + limits.writing)
      return
    }
    isStreaming = false
    if let failure = answer.failure { server.metrics.failed(failure) }
    server.metrics.answered(
      route, status: answer.status, nanoseconds: start == 0 ? 0 : Clock.now - start)
    server.log(answer, route)
    deadline = Clock.now + limits.writing
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    context.writeAndFlush(wrapOutboundOut(buffer)).assumeIsolated().whenSuccess {
      bound.value.written(closes: closes)
    }
  }

  private func head(of answer: HTTPAnswer, closes: Bool) -> String {
    let reason = HTTPResponseStatus(statusCode: answer.status).reasonPhrase
    var head = "HTTP/1.1 \(answer.status) \(reason)\r\ncontent-type: \(answer.type)\r\n"
    if !answer.continues {
      head += "content-length: \(answer.body.count)\r\n"
    } else if knowsChunks {
      head += "transfer-encoding: chunked\r\n"
    }
    for header in answer.headers { head += "\(header.name): \(header.value)\r\n" }
    if closes { head += "connection: close\r\n" }
    return head + "\r\n"
  }

  /// Writes a body, or a part of one as a chunk.
  private func write(_ answer: HTTPAnswer, to buffer: inout ByteBuffer) {
    guard knowsChunks, isStreaming || answer.continues else {
      buffer.writeBytes(answer.body)
      return
    }
    if !answer.body.isEmpty {
      buffer.writeString(String(answer.body.count, radix: 16) + "\r\n")
      buffer.writeBytes(answer.body)
      buffer.writeString("\r\n")
    }
    if !answer.continues { buffer.writeString("0\r\n\r\n") }
  }

  private func write(_ bytes: [UInt8]) {
    guard let context else { return }
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
  }

  private func written(closes: Bool) {
    guard let context, phase == .answering else { return }
    if closes {
      phase = .closing
      waiting = []
      // The client gets the answer although it may still be sending: only our side is closed now.
      deadline = Clock.now + 2 * Clock.second
      context.close(mode: .output, promise: nil)
      resume()
      return
    }
    phase = .idle
    deadline = Clock.now + (server.isStopping ? 0 : limits.idle)
    let parts = waiting
    waiting = []
    for (index, part) in parts.enumerated() {
      if phase == .answering || phase == .closing {
        waiting = Array(parts[index...])
        break
      }
      take(part)
    }
    if phase != .answering { resume() }
  }

  private func resume() {
    guard isHeld, let context else { return }
    isHeld = false
    context.read()
  }

  /// Gives up a client that is too slow, or too long idle.
  func checkDeadline(_ now: Int64) {
    guard now >= deadline, let context else { return }
    guard phase == .reading else { return context.close(promise: nil) }
    let route = Route(path: HTTPRequest.path(of: head?.uri ?? ""))
    refuse(RequestError(.timeout, "the request did not arrive in time"), for: route)
  }

  /// Closes the connection if it asks for nothing; otherwise behind the answer.
  func stop() {
    if phase == .idle { deadline = min(deadline, Clock.now + Clock.second / 4) }
  }

  /// Closes the connection, whatever it does.
  func close() { context?.close(promise: nil) }
}
