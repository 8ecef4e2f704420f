import VDSQ
import VDSQFormat
import VDSQInference

/// The tokens of an answer behind a prompt, as a model reads them.
struct AnswerTokens {
  /// The prompt and the answer without its last token.
  let ids: [Int32]
  /// The answer.
  let tokens: [Int32]
  /// The rows of `ids` that predict the tokens of the answer.
  var rows: Range<Int> { ids.count - tokens.count..<ids.count }

  /// - Parameter beginning: the token in place of an empty prompt; nil if the file does not say.
  /// - Throws: `badInput` if the answer has no tokens of its own, or too many for the model.
  init(
    _ answer: String, after prompt: String, _ encoder: TextEncoder, beginning: Int32?
  ) throws(VDSQError) {
    var pair = ContinuationTokens()
    let own = try Array(answer.utf8).withBytes { (answer) throws(VDSQError) in
      try Array(prompt.utf8).withBytes { (prompt) throws(VDSQError) in
        try pair.read(answer, after: prompt, encoder, beginning: beginning)
      }
    }
    guard own.count < encoder.maximumTokens else {
      throw .badInput(
        "an answer of \(own.count) tokens is longer than \(encoder.maximumTokens - 1)")
    }
    ids = Array(pair.context.suffix(encoder.maximumTokens + 1 - own.count)) + own.dropLast()
    tokens = Array(own)
  }
}
