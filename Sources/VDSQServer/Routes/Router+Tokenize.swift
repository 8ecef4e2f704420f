import VDSQFormat
import VDSQInference
import VDSQStreams
import VDSQTokenizers

/// TEI's `/tokenize`.
extension Router {
  private struct Token: Sendable {
    let id: Int32
    let text: String
    let isSpecial: Bool
    /// The place in the text, in characters; nil for special tokens.
    let place: Range<Int>?
  }

  func tokenize(
    _ request: HTTPRequest, _ reply: @escaping Reply
  ) throws(RequestError) -> (@Sendable () -> Void)? {
    let fields = try RequestFields(
      request.body, known: ["inputs", "model", "add_special_tokens", "prompt_name"])
    let model = try model(fields, for: "tokenize")
    let inputs = try RequestInputs(
      try fields.needed("inputs"), field: "inputs", limits: limits, takesIDs: false)
    let addsSpecial = try fields.flag("add_special_tokens") ?? true
    let prompt = try prompt(fields)
    let job = Job(alone: { state in
      do throws(RequestError) {
        let served = try state.model(model.name)
        let before: [UInt8]
        do throws(VDSQError) {
          before =
            prompt == nil
            ? []
            : Array(
              try Prompts(served.base.encoder.container.metadata).text(prompt, model.name).utf8)
        } catch { throw RequestError.invalid("prompt_name", error.message) }
        let lists = inputs.inputs.map { input in
          guard case .text(let text) = input else { return [Token]() }
          return Self.tokens(before + text, served.base.encoder.tokenizer, addsSpecial)
        }
        reply(Self.answer(lists))
      } catch { reply(HTTPAnswer(error, for: .tokenize)) }
    })
    try engine.submit(job)
    return nil
  }

  private static func answer(_ lists: [[Token]]) -> HTTPAnswer {
    HTTPAnswer { json in
      json.array {
        for tokens in lists {
          json.array {
            for token in tokens {
              json.object {
                json.member("id", token.id)
                json.member("text", token.text)
                json.member("special", token.isSpecial)
                json.member("start", token.place?.lowerBound)
                json.member("stop", token.place?.upperBound)
              }
            }
          }
        }
      }
    }
  }

  /// The tokens of a text of any length.
  private static func tokens(
    _ text: [UInt8], _ tokenizer: Tokenizer, _ addsSpecial: Bool
  ) -> [Token] {
    text.withUnsafeBytes { text in
      var ids: [Int32] = []
      _ = tokenizer.encode(text, limit: .max / 4, into: &ids)
      let frame = tokenizer.frameLengths
      let first = min(ids.count, frame.before)
      let own = first..<max(first, ids.count - frame.after)
      let ranges = TokenOffsets(of: text, tokenizer, trimsSpaces: true).ranges(of: ids[own])
      let characters = CharacterPlaces(text)
      func token(_ index: Int) -> Token {
        var surface: [UInt8] = []
        tokenizer.appendText(of: ids[index], to: &surface)
        let isOwn = own.contains(index)
        return Token(
          id: ids[index], text: String(decoding: surface, as: UTF8.self), isSpecial: !isOwn,
          place: isOwn ? characters.range(ranges[index - first]) : nil)
      }
      return (addsSpecial ? ids.startIndex..<ids.endIndex : own).map(token)
    }
  }
}

/// Numbers of Unicode scalars before bytes of a text.
private struct CharacterPlaces {
  private var before: [Int] = []

  init(_ text: UnsafeRawBufferPointer) {
    var count = 0
    before.reserveCapacity(text.count + 1)
    for byte in text {
      before.append(count)
      // A scalar is counted at its first byte.
      if byte & 0xC0 != 0x80 { count += 1 }
    }
    before.append(count)
  }

  func range(_ bytes: Range<Int>) -> Range<Int> {
    let last = before.count - 1
    let start = before[min(bytes.lowerBound, last)]
    return start..<max(start, before[min(bytes.upperBound, last)])
  }
}
