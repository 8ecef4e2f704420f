import CShims
import VDSQFormat

/// The sums of scores over texts, and the perplexities that lm-evaluation-harness makes of them:
/// weighted by tokens, words or bytes over all texts, not the mean of texts' own perplexities.
public struct ScoreTotals: Sendable, Equatable {
  /// The number of texts.
  public private(set) var texts = 0
  /// The number of predicted tokens.
  public private(set) var tokens = 0
  /// The number of words: parts between runs of white space.
  public private(set) var words = 0
  /// The number of bytes in UTF-8.
  public private(set) var bytes = 0
  /// The sum of logarithms of probabilities, in nats.
  public private(set) var logProbability = 0.0
  /// The number of texts of which every token is the likeliest one.
  public private(set) var greedy = 0

  /// No texts.
  public init() {}

  /// Adds a text.
  public mutating func add(_ score: TextScore, text: String) {
    var text = text
    let count = text.utf8.count
    let words = text.withUTF8 { Self.words(in: UnsafeRawBufferPointer($0)) }
    add(score, words: words, bytes: count)
  }

  /// Adds a text of which the words and bytes are counted.
  package mutating func add(_ score: TextScore, words: Int, bytes: Int) {
    texts += 1
    tokens += score.count
    self.words += words
    self.bytes += bytes
    logProbability += score.logProbability
    if score.isGreedy { greedy += 1 }
  }

  /// The perplexity per token.
  public var perplexity: Double { Self.exponential(-logProbability, per: tokens) }
  /// The perplexity per word (`word_perplexity`).
  public var wordPerplexity: Double { Self.exponential(-logProbability, per: words) }
  /// The perplexity per byte (`byte_perplexity`).
  public var bytePerplexity: Double { Self.exponential(-logProbability, per: bytes) }
  /// Bits per byte (`bits_per_byte`).
  public var bitsPerByte: Double {
    bytes == 0 ? 0 : -logProbability / Double(bytes) / 0.693_147_180_559_945_3
  }

  /// `exp(x / count)`; 1 for a count of 0.
  static func exponential(_ x: Double, per count: Int) -> Double {
    count == 0 ? 1 : vdsq_exp(x / Double(count))
  }

  /// The number of parts between runs of white space, empty ones at the ends included, as Python's
  /// `re.split(r"\s+", text)` gives them.
  package static func words(in text: UnsafeRawBufferPointer) -> Int {
    var decoder = UTF8Decoder(text)
    var words = 1
    var isSpace = false
    while let scalar = decoder.next() {
      let own = WhiteSpace.contains(scalar)
      if own, !isSpace { words += 1 }
      isSpace = own
    }
    return words
  }
}
