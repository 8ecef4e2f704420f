package import VDSQFormat

/// The chat template of a checkpoint, and the format that it amounts to.
package struct ChatTemplate {
  private let nodes: [JinjaNode]
  private let variables: [String: JinjaValue]

  /// - Parameter tokens: the texts of the special tokens that the template can name, such as
  ///   `bos_token`.
  package init(_ source: String, tokens: [String: String]) throws(JinjaError) {
    nodes = try JinjaParser.parse(source)
    var variables = tokens.mapValues { JinjaValue.string($0) }
    (variables["tools"], variables["documents"]) = (JinjaValue.none, JinjaValue.none)
    variables["add_generation_prompt"] = .bool(true)
    self.variables = variables
  }

  typealias Role = ChatFormat.Role

  /// The text of a chat, before the model's answer.
  ///
  /// - Throws: `raised` if the template refuses the chat.
  func render(_ messages: [ChatFormat.Message]) throws(JinjaError) -> String {
    var variables = variables
    variables["messages"] = .list(
      messages.map {
        .dictionary([
          ("role", .string("\($0.role.name)")),
          ("content", .string(String(decoding: $0.content, as: UTF8.self))),
        ])
      })
    return try JinjaEvaluator.render(nodes, variables)
  }

  /// The format that gives the same texts.
  ///
  /// - Throws: `unsupported`, if there is none: the template depends on more than the roles of
  ///   neighbours.
  package func format() throws(JinjaError) -> ChatFormat {
    var format = ChatFormat()
    try findJoints(&format)
    try findJoin(&format)
    try findTrims(&format)
    if try !gives(format, contents: Self.contents + Self.blank) {
      format.refusesBlank = true
      guard try gives(format, contents: Self.contents) else {
        throw .unsupported("it treats some messages specially")
      }
    }
    try findRefused(&format)
    return format
  }

  // MARK: Joints

  /// The orders of roles that are tried: all of up to four messages that end with the user's, of
  /// which the first may be the system's.
  private static let orders: [[Role]] = {
    var all: [[Role]] = []
    for first in [[], [.system]] as [[Role]] {
      for count in 0..<3 {
        for bits in 0..<1 << count {
          let middle = (0..<count).map { bits >> $0 & 1 == 1 ? Role.user : .assistant }
          all.append(first + middle + [.user])
        }
      }
    }
    return all.sorted { $0.count < $1.count }
  }()

  /// The orders of roles in a chat, its beginning and the answer included.
  private static func orders(in roles: [Role]) -> [ChatFormat.Order] {
    zip([.beginning] + roles, roles + [.answer]).map { ChatFormat.Order($0, $1) }
  }

  /// Messages with contents that no template has.
  private static func marks(_ roles: [Role]) -> [ChatFormat.Message] {
    roles.indices.map { ChatFormat.Message(roles[$0], Array("Zq\($0)Xv".utf8)) }
  }

  /// The text of a chat; nil if the template refuses it.
  private func text(of messages: [ChatFormat.Message]) throws(JinjaError) -> String? {
    do throws(JinjaError) {
      return try render(messages)
    } catch {
      if case .raised = error { return nil }
      throw error
    }
  }

  /// The texts between the messages of a chat; nil if the template refuses the chat, or the messages
  /// are not there once and in order.
  private func texts(_ roles: [Role]) throws(JinjaError) -> [String]? {
    let messages = Self.marks(roles)
    guard let text = try text(of: messages) else { return nil }
    var rest = Substring(text)
    var texts: [String] = []
    for message in messages {
      let mark = String(decoding: message.content, as: UTF8.self)
      guard let range = rest.firstRange(of: mark) else { return nil }
      texts.append(String(rest[..<range.lowerBound]))
      rest = rest[range.upperBound...]
    }
    texts.append(String(rest))
    return texts.contains { $0.contains("Zq") } ? nil : texts
  }

  private func findJoints(_ format: inout ChatFormat) throws(JinjaError) {
    guard try texts([.user]) != nil else {
      throw .unsupported("it gives no text for a message of the user")
    }
    var conflicts: Set<ChatFormat.Order> = []
    for roles in Self.orders {
      guard let texts = try texts(roles) else { continue }
      for (order, text) in zip(Self.orders(in: roles), texts) {
        if let known = format.joints[order], known.text != text { conflicts.insert(order) }
        if format.joints[order] == nil { format.joints[order] = ChatFormat.Joint(text) }
      }
    }
    for order in conflicts {
      // Without these no chat goes on.
      let needed: [ChatFormat.Order] = [
        .init(.beginning, .user), .init(.user, .assistant), .init(.assistant, .user),
        .init(.user, .answer),
      ]
      guard !needed.contains(order) else {
        throw .unsupported(
          "the text between \(order.before.name) and \(order.role.name) depends on more than these")
      }
      format.joints[order] = nil
    }
  }

  /// Finds out whether the message of the system is joined with the last one of the user, which may
  /// stand behind others.
  private func findJoin(_ format: inout ChatFormat) throws(JinjaError) {
    let long: [Role] = [.system, .user, .assistant, .user]
    guard try texts(long) == nil, let short = try texts([.system, .user]),
      short[0] == format.joints[.init(.beginning, .user)]?.text
    else { return }
    var joined = format
    joined.systemJoin = short[1]
    joined.joints[.init(.beginning, .system)] = nil
    joined.joints[.init(.system, .user)] = nil
    if try isEqual(joined, Self.marks(long)) == true { format = joined }
  }

  // MARK: Contents

  /// Whether a format and the template give the same text; nil if one of them refuses the chat.
  private func isEqual(
    _ format: ChatFormat, _ messages: [ChatFormat.Message]
  ) throws(JinjaError) -> Bool? {
    guard let own = try? format.text(of: messages) else { return nil }
    guard let text = try text(of: messages) else { return nil }
    return own.elementsEqual(text.utf8)
  }

  /// Finds out of which messages the white space is trimmed.
  private func findTrims(_ format: inout ChatFormat) throws(JinjaError) {
    for roles in Self.orders {
      let orders = Self.orders(in: roles)
      for place in roles.indices {
        for isEnd in [false, true] {
          var messages = Self.marks(roles)
          let mark = messages[place].content
          let space = Array(" \n\u{3000}".utf8)
          messages[place] = ChatFormat.Message(
            roles[place], isEnd ? mark + space : space + mark)
          guard try isEqual(format, messages) == false else { continue }
          if isEnd {
            format.joints[orders[place + 1]]?.trimsBefore = true
          } else {
            format.joints[orders[place]]?.trimsBehind = true
          }
        }
      }
    }
  }

  /// Contents that a template may treat specially.
  private static let contents = [
    "hello", "  two\n\nlines \t", "{{ x }} {% if %}", "naïve – 日本語 😀", "[INST] <s> </s>",
    "<|im_end|>\n", "tool", "None", "a' \"b\\", "<tool_call>", "system: x",
  ]
  private static let blank = ["", "\n", "  "]

  /// Compares a format with the template on many chats.
  private func gives(
    _ format: ChatFormat, contents: [String]
  ) throws(JinjaError) -> Bool {
    var random = 1
    func next(_ count: Int) -> Int {
      random = (random &* 1_103_515_245 &+ 12_345) & 0x7FFF_FFFF
      return (random >> 8) % count
    }
    let long: [[Role]] = [
      [.user, .assistant, .user, .assistant, .user],
      [.system, .user, .assistant, .user, .assistant, .user, .assistant, .user],
    ]
    for _ in 0..<16 {
      for roles in Self.orders + long {
        let messages = roles.map {
          ChatFormat.Message($0, Array(contents[next(contents.count)].utf8))
        }
        if try isEqual(format, messages) == false { return false }
      }
    }
    return true
  }

  /// Reasoning of earlier answers is left out by some templates.
  private func findRefused(_ format: inout ChatFormat) throws(JinjaError) {
    let mark = "</think>"
    let messages = [
      ChatFormat.Message(.user, Array("a".utf8)),
      ChatFormat.Message(.assistant, Array("<think>\nb\n\(mark)\n\nc".utf8)),
      ChatFormat.Message(.user, Array("d".utf8)),
    ]
    if try isEqual(format, messages) == false { format.refused = mark }
  }
}
