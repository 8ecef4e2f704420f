import VDSQ
package import VDSQFormat
package import VDSQInference
import VDSQKernels
import VDSQSemantics

/// The directions that explain states: one per word or token of the vocabulary, with its text.
///
/// The vectors of a sentence encoder do not lie near its word embeddings, so each word is encoded
/// as a text (`WordBases`). A language model has the bases of its head (`VocabularyRows`).
package struct ExplanationBases {
  private enum Rows {
    case words(WordBases)
    case vocabulary(VocabularyRows)
  }

  /// The number of bases that are listed of each kind.
  package static let leaningCount = 6

  private let rows: Rows
  private let encoder: TextEncoder

  /// Makes the bases of a model. A sentence encoder runs over its whole vocabulary for that.
  ///
  /// - Parameters:
  ///   - cache: a cache of the states of words; nil for none.
  ///   - advance: called with the share of encoded words, from 0 to 1.
  /// - Throws: `badInput` if a language model's file has no bases; what the model and the cache
  ///   throw.
  package init(
    encoder: TextEncoder, cache: StateCache? = nil, advance: (Double) -> Void = { _ in }
  ) throws(VDSQError) {
    self.encoder = encoder
    rows =
      encoder.kind == .sentences
      ? .words(try WordBases(encoder: encoder, cache: cache, advance: advance))
      : .vocabulary(try VocabularyRows(bases: encoder.container))
  }

  /// The number of bases.
  package var count: Int {
    switch rows {
    case .words(let bases): bases.tokens.count
    case .vocabulary(let rows): rows.count
    }
  }

  /// The number of dimensions of a basis.
  package var dimensions: Int {
    switch rows {
    case .words(let bases): bases.dimensions
    case .vocabulary(let rows): rows.dimensions
    }
  }

  /// A basis's text, without the space that some tokenizers put before words.
  package func token(_ index: Int) -> String {
    let id =
      switch rows {
      case .words(let bases): bases.tokens[index]
      case .vocabulary: Int32(index)
      }
    let text = String(decoding: encoder.token(id), as: UTF8.self)
    return text.utf8.first == UInt8(ascii: " ") ? String(Substring(text.utf8.dropFirst())) : text
  }

  /// The bases with the largest cosines, best first; of equal ones the first.
  func best(_ count: Int, of cosines: [Float]) -> [Int] {
    var ranking = TopRanking<Int>(capacity: count)
    for i in cosines.indices { ranking.add(i, score: cosines[i]) }
    return ranking.entries.map(\.element)
  }

  /// The bases that are listed of some cosines.
  package func leanings(_ cosines: [Float]) -> [Explanation.Leaning] {
    best(Self.leaningCount, of: cosines).map {
      Explanation.Leaning(token: token($0), cosine: cosines[$0])
    }
  }

  /// The cosine of a vector to each basis, from -1 to 1; all 0 for the zero vector.
  ///
  /// - Parameter vector: as many floats as the model's vector has.
  package func cosines(_ vector: [Float]) -> [Float] {
    switch rows {
    case .words(let bases): bases.cosines(vector)
    case .vocabulary(let rows): cosines(vector, rows)
    }
  }

  private func cosines(_ vector: [Float], _ rows: VocabularyRows) -> [Float] {
    let norm = vector.withUnsafeBufferPointer { length($0.baseAddress!, $0.count) }
    var row = [Float](repeating: 0, count: rows.dimensions)
    var scratch = [UInt8](repeating: 0, count: max(1, rows.scratchBytes))
    return (0..<rows.count).map { id in
      row.withUnsafeMutableBufferPointer { row in
        scratch.withUnsafeMutableBufferPointer {
          rows.unitRow(id, encoder.kernels, $0.baseAddress!, into: row.baseAddress!)
        }
      }
      var dot: Float = 0
      encoder.kernels.dotRows(vector, row, 1, rows.dimensions, &dot)
      return norm > 0 ? dot / norm : 0
    }
  }
}
