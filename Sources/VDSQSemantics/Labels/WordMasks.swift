/// The label words of a masked language model that have several tokens.
///
/// The mask of a text is replaced by as many masks as a word has tokens, and each token is scored
/// at its own. With h_m,t the state at the t-th of m masks, and Z the sum over the vocabulary:
///
///     log P(w | text) = sum_t (v_w_t . h_m,t + b_w_t - log Z(h_m,t)),   m = |w|
package struct WordMasks: Sendable {
  /// The tokens of each word.
  let words: [[Int32]]
  /// The numbers of masks above 1, ascending.
  package let counts: [Int]

  /// Returns nil if all words have one token.
  ///
  /// - Parameter words: the tokens of each word.
  package init?(_ words: [[Int32]]) {
    var counts: [Int] = []
    for word in words where word.count > 1 && !counts.contains(word.count) {
      counts.append(word.count)
    }
    guard !counts.isEmpty else { return nil }
    counts.sort()
    self.words = words
    self.counts = counts
  }

  /// The number of states of a text at all masks, besides that at its only one.
  package var states: Int { counts.reduce(0, +) }

  /// The index of the first state for words of a number of tokens.
  func firstState(_ tokens: Int) -> Int {
    var first = 0
    for count in counts where count < tokens { first += count }
    return first
  }

  /// The size of its numbers in memory, in bytes.
  package var bytes: Int { words.reduce(0) { $0 + 4 * $1.count } }
}
