import Foundation
import TestSupport
import Testing
import VDSQ
import VDSQServer

@Suite struct CompletionsTests {
  private let server: ServerFixture
  private let generator: TextGenerator

  init() throws {
    server = try ServerFixture(["base": "bert-mean", "chats": "chat:qwen2"])
    generator = try TextGenerator(model: try Model(path: server.folder.path("chats.vdsq")))
  }

  /// Twelve tokens of the greatest probability.
  private var greedy: GenerationOptions {
    var options = GenerationOptions()
    options.maximumTokens = 12
    return options
  }

  private func choices(_ object: [String: Any]) -> [[String: Any]] {
    object["choices"] as? [[String: Any]] ?? []
  }

  /// The data of server-sent events.
  private func events(_ answer: ServerFixture.Answer) -> [String] {
    let lines = answer.text.components(separatedBy: "\n\n")
    #expect(lines.last == "")
    return lines.dropLast().map {
      #expect($0.hasPrefix("data: ") && !$0.contains("\n"))
      return String($0.dropFirst(6))
    }
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func textsAreTheLibrarys() async throws {
    let wanted = try generator.generate("hello world", options: greedy)
    let body: [String: Any] = ["prompt": "hello world", "max_tokens": 12, "temperature": 0]
    let answer = await server.post("/v1/completions", body)
    #expect(answer.status == 200, "\(answer.text)")
    let choice = try #require(choices(answer.object).first)
    #expect(choice["text"] as? String == wanted.text)
    #expect(choice["finish_reason"] as? String == (wanted.finish == .length ? "length" : "stop"))
    let usage = answer.object["usage"] as? [String: Int]
    #expect(
      usage == [
        "prompt_tokens": wanted.promptTokens, "completion_tokens": wanted.tokens,
        "total_tokens": wanted.promptTokens + wanted.tokens,
      ])
    let several = await server.post(
      "/v1/completions", body.merging(["prompt": ["hello", "hello world"]]) { $1 })
    #expect(choices(several.object).map { $0["index"] as? Int } == [0, 1])
    #expect(choices(several.object)[1]["text"] as? String == wanted.text)
  }

  @Test func streamedPartsAreTheText() async throws {
    let wanted = try generator.generate("hello world", options: greedy)
    let answer = await server.post(
      "/v1/completions",
      [
        "prompt": ["hello world", "hello"], "max_tokens": 12, "temperature": 0, "stream": true,
        "stream_options": ["include_usage": true],
      ])
    let events = events(answer)
    #expect(events.last == "[DONE]")
    var texts = ["", ""], ends: [String] = []
    for event in events.dropLast(2) {
      let choice = choices(try object(event))[0]
      texts[choice["index"] as? Int ?? 0] += choice["text"] as? String ?? ""
      if let finish = choice["finish_reason"] as? String { ends.append(finish) }
    }
    #expect(texts[0] == wanted.text && ends.count == 2)
    let last = try object(events[events.count - 2])
    #expect(choices(last).isEmpty)
    #expect((last["usage"] as? [String: Int])?["prompt_tokens"] == wanted.promptTokens + 1)
  }

  @Test func chatsFollowTheTemplate() async throws {
    let messages = [
      ["role": "system", "content": "be"], ["role": "user", "content": "hello"],
    ]
    let wanted = try generator.generate(
      chat: [ChatMessage(.system, "be"), ChatMessage(.user, "hello")], options: greedy)
    let body: [String: Any] = [
      "messages": messages, "max_completion_tokens": 12, "temperature": 0,
    ]
    let answer = await server.post("/v1/chat/completions", body)
    let message = choices(answer.object).first?["message"] as? [String: String]
    #expect(message == ["role": "assistant", "content": wanted.text], "\(answer.text)")
    let stream = await server.post(
      "/v1/chat/completions", body.merging(["stream": true]) { $1 })
    var text = "", roles = 0
    for event in events(stream).dropLast() {
      let delta = choices(try object(event))[0]["delta"] as? [String: String] ?? [:]
      text += delta["content"] ?? ""
      roles += delta["role"] == nil ? 0 : 1
    }
    #expect(text == wanted.text && roles == 1)
    let parts = await server.post(
      "/v1/chat/completions",
      body.merging([
        "messages": [
          messages[0],
          [
            "role": "user",
            "content": [["type": "text", "text": "hel"], ["type": "text", "text": "lo"]],
          ],
        ] as [Any]
      ]) { $1 })
    #expect(
      (choices(parts.object).first?["message"] as? [String: String])?["content"] == wanted.text)
  }

  @Test func textsHaveTheFormThatIsAskedFor() async throws {
    let choice = await server.post(
      "/v1/completions", ["prompt": "hello", "guided_choice": ["yes", "no"]])
    #expect(["yes", "no"].contains(choices(choice.object).first?["text"] as? String))
    #expect(choices(choice.object).first?["finish_reason"] as? String == "stop")
    let pattern = await server.post(
      "/v1/completions", ["prompt": "hello", "guided_regex": "[ab]{3}"])
    #expect((choices(pattern.object).first?["text"] as? String)?.count == 3)
    let schema = await server.post(
      "/v1/chat/completions",
      [
        "messages": [["role": "user", "content": "hello"]], "max_tokens": 60,
        "response_format": [
          "type": "json_schema",
          "json_schema": ["name": "n", "schema": ["enum": ["a", "b"]]] as [String: Any],
        ] as [String: Any],
      ])
    let content = (choices(schema.object).first?["message"] as? [String: String])?["content"]
    #expect(["\"a\"", "\"b\""].contains(content), "\(schema.text)")
  }

  /// The same seed gives the same text, and none another one.
  @Test func seeds() async throws {
    func text(_ more: [String: Any]) async -> String? {
      let body: [String: Any] = ["prompt": "hello", "temperature": 5, "max_tokens": 12]
      let answer = await server.post("/v1/completions", body.merging(more) { $1 })
      return choices(answer.object).first?["text"] as? String
    }
    let first = await text(["seed": -7])
    #expect(await text(["seed": -7]) == first)
    #expect(await text([:]) != text([:]))
  }

  @Test(arguments: [
    ("/v1/completions", #"{}"#, 400, "prompt"),
    ("/v1/completions", #"{"prompt": []}"#, 400, "prompt"),
    ("/v1/completions", #"{"prompt": "a", "model": "base"}"#, 424, "continue"),
    ("/v1/completions", #"{"prompt": "a", "model": "none"}"#, 404, "none"),
    ("/v1/completions", #"{"prompt": "a", "n": 2}"#, 400, "n"),
    ("/v1/completions", #"{"prompt": "a", "temperature": -1}"#, 400, "temperature"),
    ("/v1/completions", #"{"prompt": "a", "presence_penalty": 1}"#, 400, "presence_penalty"),
    ("/v1/completions", #"{"prompt": "a", "max_tokens": 0}"#, 400, "max_tokens"),
    ("/v1/completions", #"{"prompt": "a", "stop": [""]}"#, 400, "stop"),
    ("/v1/completions", #"{"prompt": "a", "guided_regex": "("}"#, 400, "expression"),
    ("/v1/completions", #"{"prompt": "a", "stream_options": {}}"#, 400, "stream"),
    ("/v1/completions", #"{"prompt": "a", "logit_bias": {}}"#, 400, "logit_bias"),
    ("/v1/chat/completions", #"{"messages": []}"#, 400, "messages"),
    ("/v1/chat/completions", #"{"messages": [{"role": "x", "content": ""}]}"#, 400, "role"),
    ("/v1/chat/completions", #"{"messages": [{"role": "user"}]}"#, 400, "content"),
    (
      "/v1/chat/completions",
      #"{"messages": [{"role": "user", "content": "a"}], "response_format": {"type": "x"}}"#, 400,
      "response_format"
    ),
  ])
  func wrongRequests(_ path: String, _ body: String, _ status: Int, _ message: String) async {
    let answer = await server.ask(.POST, path, body)
    #expect(answer.status == status && answer.error.contains(message), "\(answer.text)")
    // A stream that cannot begin is refused like any other request.
    guard body != "{}", !body.contains("stream_options") else { return }
    let stream = await server.ask(.POST, path, #"{"stream": true, "# + body.dropFirst())
    #expect(stream.status == status && !stream.error.isEmpty, "\(stream.text)")
  }

  @Test func longPromptsAndManyRequestsAreRefused() async throws {
    let server = try ServerFixture(["chats": "chat:qwen2"]) { options in
      options.limits.queuedTasks = 2
      options.run.maximumTokens = 128
    }
    let long = await server.post(
      "/v1/completions", ["prompt": String(repeating: "hello ", count: 200)])
    #expect(long.status == 400 && long.error.contains("room"), "\(long.text)")
    let statuses = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<40 {
        group.addTask {
          await server.post("/v1/completions", ["prompt": "hello", "max_tokens": 100]).status
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses.allSatisfy { $0 == 200 || $0 == 429 } && statuses.contains(200))
    #expect(statuses.contains(429))
  }
}
