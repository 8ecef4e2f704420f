/// Why a template gives no text.
package enum JinjaError: Error {
  /// The template itself refuses (`raise_exception`).
  case raised(String)
  /// The template has something that is not supported, or is malformed.
  case unsupported(String)

  /// The reason in a message.
  package var reason: String {
    switch self {
    case .raised(let message): "it raises \"\(message)\""
    case .unsupported(let what): what
    }
  }
}
