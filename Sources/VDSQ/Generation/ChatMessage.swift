import VDSQFormat

/// A message of a chat with a language model.
public struct ChatMessage: Sendable, Equatable {
  /// Who says a message.
  public enum Role: Sendable {
    /// Instructions before a chat.
    case system
    /// The person who asks.
    case user
    /// The model.
    case assistant

    var own: ChatFormat.Role {
      switch self {
      case .system: .system
      case .user: .user
      case .assistant: .assistant
      }
    }
  }

  /// Who says it.
  public let role: Role
  /// What is said.
  public let content: String

  /// A message.
  public init(_ role: Role, _ content: String) {
    self.role = role
    self.content = content
  }

  var bytes: [UInt8] { Array(content.utf8) }
}
