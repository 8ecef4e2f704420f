import VDSQ

/// The answer to a request for generated texts: whole at the end, or as server-sent events while
/// texts grow. Its functions are called by one thread.
final class CompletionAnswer: @unchecked Sendable {
  private let form: CompletionForm
  private let isStream: Bool
  private let route: Route
  private let reply: Router.Reply
  /// The texts that are complete, by the indices of their prompts.
  private var texts: [Int: GeneratedText] = [:]
  private var hasBegun = false
  /// The texts of which a part was written.
  private var shown: Set<Int> = []

  init(
    _ form: CompletionForm, isStream: Bool, route: Route, reply: @escaping Router.Reply
  ) {
    (self.form, self.isStream, self.route, self.reply) = (form, isStream, route, reply)
  }

  /// A part of a text came.
  func show(_ index: Int, _ part: ArraySlice<UInt8>) {
    guard isStream else { return }
    let isFirst = shown.insert(index).inserted
    send(form.part(index, String(decoding: part, as: UTF8.self), isFirst: isFirst))
  }

  /// A text is complete.
  func complete(_ index: Int, _ text: GeneratedText) {
    texts[index] = text
    guard isStream else { return }
    send(form.part(index, "", isFirst: shown.insert(index).inserted, finish: text.finish))
  }

  /// All texts are complete, or it failed.
  func finish(_ error: RequestError?) {
    if let error {
      var answer = HTTPAnswer(error, for: route)
      // The status was sent already.
      if hasBegun { answer.body = Self.event(String(decoding: answer.body, as: UTF8.self)) }
      return reply(answer)
    }
    let texts = texts.sorted { $0.key < $1.key }.map(\.value)
    guard isStream else { return reply(form.whole(texts)) }
    if form.includesUsage { send(form.usage(texts)) }
    send("[DONE]", continues: false)
  }

  private static func event(_ data: String) -> [UInt8] { Array("data: \(data)\n\n".utf8) }

  private func send(_ data: String, continues: Bool = true) {
    hasBegun = true
    var answer = HTTPAnswer("text/event-stream", Self.event(data))
    answer.headers = [("cache-control", "no-cache")]
    answer.continues = continues
    reply(answer)
  }
}
