/// A generated text.
public struct GeneratedText: Sendable, Equatable {
  /// Why a text ends.
  public enum Finish: Sendable {
    /// The model gave one of its end tokens.
    case end
    /// A text that was asked for as an end came.
    case stop
    /// The text is what it must be, and cannot go on.
    case complete
    /// There is no room for more tokens, or the caller wants no more.
    case length

    /// The name in JSON.
    public var name: String {
      switch self {
      case .end: "end"
      case .stop: "stop"
      case .complete: "complete"
      case .length: "length"
      }
    }
  }

  /// The text in UTF-8, without the prompt. The last character may be incomplete.
  public internal(set) var bytes: [UInt8] = []
  /// The generated tokens, that of the end included.
  public internal(set) var ids: [Int32] = []
  /// The number of tokens of the prompt.
  public internal(set) var promptTokens = 0
  /// The natural logarithm of the probability that the model gives the generated tokens.
  public internal(set) var logProbability = 0.0
  /// Why the text ends.
  public internal(set) var finish = Finish.length

  /// The number of generated tokens, that of the end included.
  public var tokens: Int { ids.count }

  /// The text. Bytes of an incomplete character become U+FFFD.
  public var text: String { String(decoding: bytes, as: UTF8.self) }
}
