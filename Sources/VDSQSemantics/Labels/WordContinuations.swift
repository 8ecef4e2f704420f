package import VDSQInference

/// The label words of a causal language model that have several tokens.
///
/// A word is scored as the model would write it after the text. With w its tokens, h_0 the state of
/// the text, h_t the state after w_1 ... w_t, and Z the sum over the vocabulary:
///
///     log P(w | text) = log P(w_1 | text) + sum_t>0 (v_w_t+1 . h_t - log Z(h_t))
package struct WordContinuations: Sendable {
  /// A token of a word behind its first.
  struct Step {
    let word: Int
    let token: Int32
    /// The node of the token before.
    let node: Int
  }

  /// What follows a text: the tokens of all words, but the last of each.
  package private(set) var tree = TokenTree()
  /// The number of words, those of one token included.
  package let words: Int
  private(set) var steps: [Step] = []

  /// Returns nil if all words have one token.
  ///
  /// - Parameter words: the tokens of each word.
  package init?(_ words: [[Int32]]) {
    self.words = words.count
    for (word, tokens) in words.enumerated() where tokens.count > 1 {
      let nodes = tree.insert(tokens.dropLast())
      for (node, token) in zip(nodes, tokens.dropFirst()) {
        steps.append(Step(word: word, token: token, node: node))
      }
    }
    if steps.isEmpty { return nil }
  }

  /// The size of its numbers in memory, in bytes.
  package var bytes: Int {
    tree.nodes.count * MemoryLayout<TokenTree.Node>.stride + steps.count * MemoryLayout<Step>.stride
  }
}
