package import VDSQ
import VDSQFormat
package import VDSQStreams

/// The totals of `vdsq score`.
package struct ScoreReport: Report {
  let totals: ScoreTotals
  /// Whether texts are continuations of others.
  let arePairs: Bool

  package init(_ totals: ScoreTotals, arePairs: Bool) {
    (self.totals, self.arePairs) = (totals, arePairs)
  }

  package var text: String {
    var lines = [
      "texts          \(totals.texts), of \(counted(totals.tokens, "token")), "
        + "\(counted(totals.words, "word")), \(counted(totals.bytes, "byte"))",
      "log-likelihood \(fixed(totals.logProbability, 4)) nats",
      "perplexity     \(fixed(totals.perplexity, 4)) per token, "
        + "\(fixed(totals.wordPerplexity, 4)) per word, \(fixed(totals.bytePerplexity, 6)) per byte",
      "bits per byte  \(fixed(totals.bitsPerByte, 6))",
    ]
    if arePairs {
      lines.append(
        "greedy         \(totals.greedy) of \(counted(totals.texts, "continuation"))")
    }
    return lines.joined(separator: "\n")
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("texts", totals.texts)
      json.member("tokens", totals.tokens)
      json.member("words", totals.words)
      json.member("bytes", totals.bytes)
      json.member("logprob", totals.logProbability, decimals: 6)
      json.member("perplexity", totals.perplexity, decimals: 6)
      json.member("word_perplexity", totals.wordPerplexity, decimals: 6)
      json.member("byte_perplexity", totals.bytePerplexity, decimals: 6)
      json.member("bits_per_byte", totals.bitsPerByte, decimals: 6)
      if arePairs { json.member("greedy", totals.greedy) }
    }
  }
}
