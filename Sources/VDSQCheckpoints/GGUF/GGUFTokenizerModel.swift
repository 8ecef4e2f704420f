/// A kind of tokenizer in GGUF files: a value of `tokenizer.ggml.model` that is read.
package enum GGUFTokenizerModel: String, CaseIterable, Sendable {
  /// Merges of bytes, in pieces that `tokenizer.ggml.pre` cuts.
  case bytePairs = "gpt2"
  /// Merges of characters in the order of their scores (SentencePiece).
  case sentencePiece = "llama"
  /// The longest tokens of each word.
  case wordPiece = "bert"
  /// The likeliest tokens of each word (SentencePiece).
  case unigram = "t5"
  /// Merges of characters in the order of a list.
  case gemma4 = "gemma4"

  /// The values that are read, for messages.
  package static var supported: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
