/// How a language model reads a chat: the text between messages, by the roles before and behind it.
///
/// A conversion makes it of the checkpoint's chat template, and proves on many chats that both give
/// the same. It covers chats that end with a message of the user, behind which the model answers.
package struct ChatFormat: Sendable, Equatable {
  /// Who says a message, and the ends of a chat.
  package enum Role: Int, Sendable, CaseIterable {
    /// The beginning of a chat.
    case beginning
    case system, user, assistant
    /// The beginning of the model's answer.
    case answer

    /// The name in metadata.
    package var name: StaticString {
      switch self {
      case .beginning: "beginning"
      case .system: "system"
      case .user: "user"
      case .assistant: "assistant"
      case .answer: "answer"
      }
    }

    /// The roles of messages.
    package static let speakers: [Role] = [.system, .user, .assistant]

    /// The role of a message by its name.
    package init?(named name: String) {
      for role in Self.speakers {
        let isOwn = role.name.withUTF8Buffer { name.utf8.elementsEqual($0) }
        if isOwn {
          self = role
          return
        }
      }
      return nil
    }
  }

  /// A message of a chat.
  package struct Message: Sendable {
    /// Who says it.
    package let role: Role
    /// UTF-8.
    package let content: [UInt8]

    package init(_ role: Role, _ content: [UInt8]) {
      self.role = role
      self.content = content
    }
  }

  /// What stands between a message and the next one.
  package struct Joint: Sendable, Equatable {
    package var text: String
    /// Whether the message before loses the white space at its end.
    package var trimsBefore = false
    /// Whether the message behind loses the white space at its beginning.
    package var trimsBehind = false

    package init(_ text: String) { self.text = text }
  }

  /// A message's role, and that of the next one.
  package struct Order: Sendable, Hashable {
    package let before: Role
    package let role: Role

    package init(_ before: Role, _ role: Role) { (self.before, self.role) = (before, role) }
  }

  /// What stands between two roles; absent where the template refuses the order. The message of the
  /// system can only be the first.
  package var joints: [Order: Joint] = [:]
  /// What joins the message of the system, which is the first, with the last one of the user; nil if
  /// it stands where it is.
  package var systemJoin: String?
  /// A text that messages of the assistant must not have, because the template treats it specially.
  package var refused: String?
  /// Whether messages that are blank are refused, because the template treats them specially.
  package var refusesBlank = false

  /// No orders.
  package init() {}

  /// The text of a chat.
  ///
  /// - Parameter messages: at least one.
  /// - Throws: `usage` if the template has no such order of roles, `badInput` if it treats a message
  ///   specially.
  package func text(of messages: [Message]) throws(VDSQError) -> [UInt8] {
    var messages = messages
    if let systemJoin, messages.first?.role == .system,
      let last = messages.lastIndex(where: { $0.role == .user })
    {
      let joined = messages[0].content + Array(systemJoin.utf8) + messages[last].content
      messages[last] = Message(.user, joined)
      messages.removeFirst()
    }
    var text: [UInt8] = []
    var before = Role.beginning
    for (index, message) in messages.enumerated() {
      try check(message)
      let joint = try joint(before, message.role)
      text += Array(joint.text.utf8)
      let role = index + 1 < messages.count ? messages[index + 1].role : .answer
      let next = try self.joint(message.role, role)
      message.content.withUnsafeBytes { content in
        let end = next.trimsBefore ? WhiteSpace.trimmedLength(content) : content.count
        let start = joint.trimsBehind ? min(end, WhiteSpace.leadingLength(content)) : 0
        text += content[start..<end]
      }
      before = message.role
    }
    return text + Array(try joint(before, .answer).text.utf8)
  }

  private func check(_ message: Message) throws(VDSQError) {
    if let refused, message.role == .assistant, Self.has(message.content, refused) {
      throw .badInput(
        "a message of the assistant has \(refused), which the chat template treats specially")
    }
    let isBlank = message.content.withUnsafeBytes { WhiteSpace.trimmedLength($0) } == 0
    guard !refusesBlank || !isBlank else {
      throw .badInput("a message is blank, which the chat template treats specially")
    }
  }

  private func joint(_ before: Role, _ role: Role) throws(VDSQError) -> Joint {
    guard let joint = joints[Order(before, role)] else {
      throw .usage("the model's chat template has no \(role.name) behind \(before.name)")
    }
    return joint
  }

  private static func has(_ text: [UInt8], _ part: String) -> Bool {
    let part = Array(part.utf8)
    guard text.count >= part.count else { return false }
    return (0...text.count - part.count).contains {
      text[$0..<$0 + part.count].elementsEqual(part)
    }
  }
}

extension ChatFormat {
  /// The format of a model; nil if its file has none.
  package init?(_ metadata: Metadata) {
    self.init()
    for before in Role.allCases {
      for role in Role.allCases {
        let key = "chat.\(before.name).\(role.name)"
        guard let text = metadata.find(key) else { continue }
        var joint = Joint(text)
        joint.trimsBefore = metadata.find("\(key).trims_before") != nil
        joint.trimsBehind = metadata.find("\(key).trims_behind") != nil
        joints[Order(before, role)] = joint
      }
    }
    systemJoin = metadata.find("chat.system_join")
    refused = metadata.find("chat.refused")
    refusesBlank = metadata.find("chat.blank") != nil
    if joints.isEmpty { return nil }
  }

  /// Adds the format to metadata.
  package func store(in metadata: inout Metadata) {
    for before in Role.allCases {
      for role in Role.allCases {
        guard let joint = joints[Order(before, role)] else { continue }
        let key = "chat.\(before.name).\(role.name)"
        metadata.set(key, .text(joint.text))
        if joint.trimsBefore { metadata.set("\(key).trims_before", .text("white space")) }
        if joint.trimsBehind { metadata.set("\(key).trims_behind", .text("white space")) }
      }
    }
    if let systemJoin { metadata.set("chat.system_join", .text(systemJoin)) }
    if let refused { metadata.set("chat.refused", .text(refused)) }
    if refusesBlank { metadata.set("chat.blank", .text("refused")) }
  }
}
