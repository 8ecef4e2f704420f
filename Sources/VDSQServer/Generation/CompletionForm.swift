import VDSQ
import VDSQStreams

/// The JSON of OpenAI's completions and chat completions, whole or in parts.
struct CompletionForm: Sendable {
  /// Whether texts are answers to chats.
  let isChat: Bool
  let model: String
  /// Whether the last part has numbers of tokens; the others then have `null`.
  let includesUsage: Bool
  let id: String
  let created: Int

  init(isChat: Bool, model: String, includesUsage: Bool) {
    (self.isChat, self.model, self.includesUsage) = (isChat, model, includesUsage)
    let digits = String(UInt64.random(in: 1 << 60 ... .max), radix: 16)
    id = (isChat ? "chatcmpl-" : "cmpl-") + digits
    created = Clock.date
  }

  /// OpenAI's name of why a text ends.
  static func name(_ finish: GeneratedText.Finish) -> String {
    finish == .length ? "length" : "stop"
  }

  private func begin(_ json: JSONWriter, isPart: Bool) {
    json.member("id", id)
    json.member(
      "object", isChat ? (isPart ? "chat.completion.chunk" : "chat.completion") : "text_completion")
    json.member("created", created)
    json.member("model", model)
  }

  private func write(_ texts: [GeneratedText], to json: JSONWriter) {
    let prompts = texts.reduce(0) { $0 + $1.promptTokens }
    let tokens = texts.reduce(0) { $0 + $1.tokens }
    json.key("usage")
    json.object {
      json.member("prompt_tokens", prompts)
      json.member("completion_tokens", tokens)
      json.member("total_tokens", prompts + tokens)
    }
  }

  /// The answer with all texts.
  func whole(_ texts: [GeneratedText]) -> HTTPAnswer {
    HTTPAnswer { json in
      json.object {
        begin(json, isPart: false)
        json.key("choices")
        json.array {
          for (index, text) in texts.enumerated() {
            json.object {
              json.member("index", index)
              if isChat {
                json.key("message")
                json.object {
                  json.member("role", "assistant")
                  json.member("content", text.text)
                }
              } else {
                json.member("text", text.text)
              }
              json.member("logprobs", String?.none)
              json.member("finish_reason", Self.name(text.finish))
            }
          }
        }
        write(texts, to: json)
      }
    }
  }

  /// A part of a text, or its end.
  ///
  /// - Parameters:
  ///   - isFirst: whether it is the first part of the text.
  ///   - finish: why the text ends; nil if it goes on.
  func part(
    _ index: Int, _ text: String, isFirst: Bool = false, finish: GeneratedText.Finish? = nil
  ) -> String {
    JSONWriter.string { json in
      json.object {
        begin(json, isPart: true)
        json.key("choices")
        json.array {
          json.object {
            json.member("index", index)
            if isChat {
              json.key("delta")
              json.object {
                if isFirst { json.member("role", "assistant") }
                if finish == nil { json.member("content", text) }
              }
            } else {
              json.member("text", text)
            }
            json.member("logprobs", String?.none)
            json.member("finish_reason", finish.map(Self.name))
          }
        }
        if includesUsage { json.member("usage", String?.none) }
      }
    }
  }

  /// The part behind all texts that has their numbers of tokens.
  func usage(_ texts: [GeneratedText]) -> String {
    JSONWriter.string { json in
      json.object {
        begin(json, isPart: true)
        json.key("choices")
        json.array {}
        write(texts, to: json)
      }
    }
  }
}
