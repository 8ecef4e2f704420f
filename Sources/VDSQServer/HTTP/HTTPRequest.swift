package import NIOHTTP1

/// A whole request.
package struct HTTPRequest: Sendable {
  let method: HTTPMethod
  /// The path, without the query.
  let path: String
  let headers: HTTPHeaders
  let body: [UInt8]

  package init(_ head: HTTPRequestHead, body: [UInt8]) {
    method = head.method
    path = Self.path(of: head.uri)
    headers = head.headers
    self.body = body
  }

  /// The path of a target, without query and fragment.
  static func path(of target: String) -> String {
    String(target.prefix { $0 != "?" && $0 != "#" })
  }
}

/// A whole answer, or the first part of one with its head, or a further part.
package struct HTTPAnswer: Sendable {
  package var status = 200
  var type: StaticString = "application/json"
  package var headers: [(name: String, value: String)] = []
  package var body: [UInt8] = []
  /// Why the request was not answered as asked; nil if it was.
  var failure: RequestError.Reason?
  /// Whether further parts of the body follow.
  var continues = false
  /// Whether the connection cannot be used any more.
  var closes = false

  /// A failure in the form of a route.
  init(_ error: RequestError, for route: Route) {
    // OpenAI answers every request that is wrong in itself with 400.
    status = route.isOpenAI && error.reason == .invalid ? 400 : error.reason.status
    failure = error.reason
    body = ErrorBody.encoded(error, for: route, status: status)
    if let seconds = error.retryAfter { headers.append(("retry-after", "\(seconds)")) }
    if error.reason == .unauthorized { headers.append(("www-authenticate", "Bearer")) }
  }

  init(json: String) { body = Array(json.utf8) }

  init(_ type: StaticString, _ body: [UInt8]) { (self.type, self.body) = (type, body) }
}
