package import VDSQFormat

/// Why a request is not answered as asked: a reason for the metrics, a status, and a line for a
/// person.
package struct RequestError: Error, Sendable, Equatable {
  /// The kind of a failure. Raw values are values of the metric `vdsq_failures_total`.
  package enum Reason: String, CaseIterable, Sendable {
    case malformed
    case invalid
    case unauthorized
    case forbidden
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case mediaType = "media_type"
    case bodyTooLarge = "body_too_large"
    case batchTooLarge = "batch_too_large"
    case textTooLong = "text_too_long"
    case queueFull = "queue_full"
    case timeout
    case model
    case storage
    case memory
    case stopping
    case connections
    case fault

    /// The status of HTTP.
    var status: Int {
      switch self {
      case .malformed: 400
      case .unauthorized: 401
      case .forbidden: 403
      case .notFound: 404
      case .methodNotAllowed: 405
      case .timeout: 408
      case .bodyTooLarge, .batchTooLarge, .textTooLong: 413
      case .mediaType: 415
      case .invalid: 422
      case .model: 424
      case .queueFull: 429
      case .fault: 500
      case .stopping, .connections: 503
      case .storage, .memory: 507
      }
    }

    /// The `error_type` of Text Embeddings Inference.
    var teiType: String {
      switch self {
      case .queueFull, .stopping, .connections: "Overloaded"
      case .model, .fault, .storage, .memory: "Backend"
      default: "Validation"
      }
    }

    /// The `type` of OpenAI's errors.
    var openAIType: String {
      switch self {
      case .queueFull: "rate_limit_error"
      case .unauthorized: "authentication_error"
      case .fault, .stopping, .connections, .storage, .memory: "server_error"
      default: "invalid_request_error"
      }
    }
  }

  package let reason: Reason
  /// One line that says what is wrong and what to do about it.
  package let message: String
  /// The field of the body that is wrong; nil if none is.
  package let field: String?
  /// Seconds after which the request may be tried again; nil if that would not help.
  package let retryAfter: Int?

  package init(
    _ reason: Reason, _ message: String, field: String? = nil, retryAfter: Int? = nil
  ) {
    (self.reason, self.message) = (reason, message)
    (self.field, self.retryAfter) = (field, retryAfter)
  }

  /// The server takes no more requests.
  static let stopping = RequestError(.stopping, "the server is stopping", retryAfter: 1)

  /// An error in a field's value.
  static func invalid(_ field: String, _ message: String) -> RequestError {
    RequestError(.invalid, "\(field): \(message)", field: field)
  }

  /// An error of the library that the values of a request caused.
  init(causedBy error: VDSQError) {
    let reason: Reason =
      switch error.category {
      case .usage, .badInput, .missingInput: .invalid
      case .budgetTooSmall: .memory
      case .internalFault: .fault
      }
    self.init(reason, error.message)
  }

  /// An error of the library that no request causes.
  init(ofServer error: VDSQError) { self.init(.fault, error.message) }
}
