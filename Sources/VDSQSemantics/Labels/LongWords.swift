package import VDSQInference

/// How label words of several tokens are scored by running a language model.
package enum LongWords: Sendable {
  /// A causal model writes the word after the text.
  case continued(WordContinuations)
  /// A masked model fills as many masks as the word has tokens.
  case masked(WordMasks)

  /// Returns nil if all words have one token, or the model is a sentence encoder.
  ///
  /// - Parameter words: the tokens of each word.
  package init?(_ words: [[Int32]], _ kind: TextEncoder.Kind) {
    switch kind {
    case .causal:
      guard let words = WordContinuations(words) else { return nil }
      self = .continued(words)
    case .masked:
      guard let words = WordMasks(words) else { return nil }
      self = .masked(words)
    case .sentences: return nil
    }
  }

  /// The number of words, those of one token included.
  package var words: Int {
    switch self {
    case .continued(let words): words.words
    case .masked(let words): words.words.count
    }
  }

  /// The states that the model computes besides that of the text.
  package var size: TokenTree.Size {
    switch self {
    case .continued(let words): return words.tree.size
    case .masked(let words):
      var size = TokenTree.Size()
      size.nodes = words.states
      size.depth = words.counts.last! - 1
      return size
    }
  }

  /// The size of its numbers in memory, in bytes.
  package var bytes: Int {
    switch self {
    case .continued(let words): words.bytes
    case .masked(let words): words.bytes
    }
  }
}
