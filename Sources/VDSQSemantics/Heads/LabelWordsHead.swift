import CShims
package import VDSQFormat
package import VDSQInference
package import VDSQKernels
package import VDSQTokenizers

/// The label words of a language model as a classifier: the LM head's rows of the words are the
/// weights (docs/vocabulary-semantics.md, "Zero-shot with label words").
///
/// Where the model caps its logits, `v_w . h + b_w` is capped likewise.
///
/// A row of the head is the direction that separates the states before its token from others, not
/// the place where these states lie. So it is a weight vector, and is compared by inner products.
///
///     score(h)_k = log mean_w exp(v_w . h + b_w + c_w),   w the words of label k
///     logit(h)_k = score(h)_k - 0.75 score(r)_k
///
/// r is a reference state: what the model says in place of a label without the text. c_w is 0 if
/// all words have one token. Otherwise `TextStates` gives it. In a causal model it is the
/// log-probability of a word after its first token (`WordContinuations`), and v_w is the row of its
/// first token. In a masked model it is the log-probability of the whole word (`WordMasks`), and
/// v_w is 0. Where a model cannot be run for each word, v_w is the mean of the rows of the word's
/// tokens, and c_w is 0.
package struct LabelWordsHead: Sendable {
  /// `[words, dimensions]`: the head's row of each word.
  package private(set) var rows: [Float]
  /// `[words]`: the head's bias of each word; zeros if the head has none.
  package private(set) var bias: [Float]
  /// The model's LM head, which may cap logits.
  private let head: VocabularyRows
  /// The label of each word, ascending.
  package private(set) var labels: [Int]
  /// The number of labels.
  package let count: Int
  /// The label without words, whose logit is the mean of the others'; nil if there is none.
  package let outOfScope: Int?
  /// `[dimensions]`: the state without the text; empty if nothing is subtracted.
  package private(set) var reference: [Float] = []
  /// `[labels]`: what is subtracted from the scores.
  private var offsets: [Float]
  /// The words of several tokens; nil if the mean of their rows is used, or there are none.
  package let longWords: LongWords?

  /// The share of the reference's scores that is subtracted. Of 0, 0.25, 0.5, 0.75 and 1, it had
  /// the best mean accuracy on customer reviews, movie reviews, subjectivity, news and package
  /// descriptions, with the empty text as reference; sentiment in two and five classes, questions
  /// and customer intents were not used for the choice.
  package static let referenceShare: Float = 0.75

  /// - Parameters:
  ///   - labels: labels with their words; a label without words is the out-of-scope label.
  ///   - head: the model's LM head.
  ///   - kind: the kind of the model, if it is run for words of several tokens; nil if it is not.
  /// - Throws: `badInput` if a word has no token.
  package init(
    _ labels: [Label], head: VocabularyRows, tokenizer: Tokenizer, kernels: KernelTable,
    runs kind: TextEncoder.Kind? = nil
  ) throws(VDSQError) {
    let words = try Self.tokens(of: labels, head.count, tokenizer)
    let longWords = kind.flatMap { LongWords(words, $0) }
    let d = head.dimensions
    var rows: [Float] = []
    var bias: [Float] = []
    var owners: [Int] = []
    var row = [Float](repeating: 0, count: d)
    var scratch = [UInt8](repeating: 0, count: max(1, head.scratchBytes))
    for (i, label) in labels.enumerated() {
      for _ in label.words {
        var ids = words[bias.count][...]
        switch longWords {
        case .continued: ids = ids.prefix(1)
        case .masked where ids.count > 1: ids = []
        default: break
        }
        let start = rows.count
        rows += [Float](repeating: 0, count: d)
        var shift: Float = 0
        for id in ids {
          row.withUnsafeMutableBufferPointer { row in
            scratch.withUnsafeMutableBufferPointer {
              head.headRow(Int(id), kernels, $0.baseAddress!, into: row.baseAddress!)
            }
          }
          for j in 0..<d { rows[start + j] += row[j] / Float(ids.count) }
          shift += (head.bias?[Int(id)] ?? 0) / Float(ids.count)
        }
        bias.append(shift)
        owners.append(i)
      }
    }
    self.head = head
    self.rows = rows
    self.bias = bias
    self.labels = owners
    self.longWords = longWords
    count = labels.count
    outOfScope = labels.firstIndex { $0.words.isEmpty }
    offsets = [Float](repeating: 0, count: labels.count)
  }

  /// The tokens of all words, one label after another.
  ///
  /// - Throws: `usage` if a word has too many; `badInput` if it has none.
  package static func tokens(
    of labels: [Label], _ vocabulary: Int, _ tokenizer: Tokenizer
  ) throws(VDSQError) -> [[Int32]] {
    var words: [[Int32]] = []
    for label in labels {
      for word in label.words {
        let ids = try tokenizer.tokens(ofWord: word, in: label).filter { Int($0) < vocabulary }
        guard !ids.isEmpty else {
          throw .badInput("labels: \(word) of \(label.name) has no token in the vocabulary")
        }
        words.append(ids)
      }
    }
    return words
  }

  /// The head that subtracts a share of a reference's scores.
  ///
  /// - Parameters:
  ///   - reference: `dimensions` floats: the state of the template without a text, or the mean state
  ///     of texts.
  ///   - words: `[words]`: what `TextStates` gives for the reference besides; nil for zeros.
  package func subtracting(
    _ reference: [Float], words: [Float]? = nil, _ kernels: KernelTable
  ) -> LabelWordsHead {
    var head = self
    head.reference = reference
    head.offsets = [Float](repeating: 0, count: count)
    var scores = head.offsets
    var scratch = [Float](repeating: 0, count: scratchCount)
    (words ?? []).withUnsafeBufferPointer {
      head.logits(
        reference, words: words == nil ? nil : $0.baseAddress, kernels, scratch: &scratch,
        into: &scores)
    }
    for i in scores.indices { head.offsets[i] = Self.referenceShare * scores[i] }
    return head
  }

  /// Floats of scratch memory that `logits` needs.
  package var scratchCount: Int { labels.count }

  /// The size of its numbers in memory, in bytes.
  package var bytes: Int {
    4 * (rows.count + bias.count + reference.count + offsets.count) + 8 * labels.count
      + (longWords?.bytes ?? 0)
  }

  /// The logits of a state.
  ///
  /// - Parameters:
  ///   - state: as many floats as a word has weights.
  ///   - words: `[words]`: what `TextStates` gives for the text besides; nil for zeros.
  ///   - scratch: a buffer of `scratchCount` floats.
  ///   - out: a buffer of one float per label.
  package func logits(
    _ state: UnsafePointer<Float>, words: UnsafePointer<Float>? = nil, _ kernels: KernelTable,
    scratch: UnsafeMutablePointer<Float>, into out: UnsafeMutablePointer<Float>
  ) {
    kernels.dotRows(state, rows, labels.count, rows.count / labels.count, scratch)
    var word = 0
    var sum: Float = 0
    for label in 0..<count where label != outOfScope {
      let first = word
      var largest = -Float.infinity
      while word < labels.count, labels[word] == label {
        scratch[word] = head.capped(scratch[word] + bias[word]) + (words?[word] ?? 0)
        largest = max(largest, scratch[word])
        word += 1
      }
      var total: Float = 0
      for i in first..<word { total += vdsq_expf(scratch[i] - largest) }
      out[label] = largest + vdsq_logf(total / Float(word - first)) - offsets[label]
      sum += out[label]
    }
    if let outOfScope { out[outOfScope] = sum / Float(count - 1) }
  }

  /// `[labels, dimensions]`: the mean of the rows of each label's words, centred over the labels.
  /// The row of the out-of-scope label is zero.
  package var centredWeights: [Float] {
    let d = rows.count / labels.count
    var weights = [Float](repeating: 0, count: count * d)
    var words = [Float](repeating: 0, count: count)
    for label in labels { words[label] += 1 }
    for (word, label) in labels.enumerated() {
      for j in 0..<d { weights[label * d + j] += rows[word * d + j] / words[label] }
    }
    let named = Float(count - (outOfScope == nil ? 0 : 1))
    for j in 0..<d {
      var mean: Float = 0
      for label in 0..<count { mean += weights[label * d + j] / named }
      for label in 0..<count where label != outOfScope { weights[label * d + j] -= mean }
    }
    return weights
  }
}

extension Tokenizer {
  /// The maximum number of tokens of a label's word.
  private static var mostWordTokens: Int { 256 }

  /// The tokens of a label's word inside a text: with a leading space where words have one.
  ///
  /// - Throws: `usage` if there are too many.
  package func tokens(ofWord word: String, in label: Label) throws(VDSQError) -> [Int32] {
    var ids: [Int32] = []
    var isCut = false
    func encode(_ bytes: [UInt8]) {
      ids.removeAll()
      isCut = bytes.withUnsafeBytes {
        self.encode($0, limit: Self.mostWordTokens, framed: false, into: &ids)
      }
    }
    let bytes = Array(word.utf8)
    encode(bytes)
    if spacesWords, let first = ids.first {
      var text: [UInt8] = []
      appendText(of: first, to: &text)
      if text.first != 0x20 { encode([0x20] + bytes) }
    }
    guard !isCut else {
      throw .usage(
        "labels: \"\(word)\" of \(label.name) has more than \(Self.mostWordTokens) tokens")
    }
    return ids
  }
}
