package import VDSQFormat
package import VDSQInference
import VDSQKernels
import VDSQSemantics

/// The vectors of a sentence encoder for the words of its vocabulary, each encoded as a text
/// (docs/vocabulary-semantics.md, "Explanations"). They are stored in int8 with a scale per row.
package final class WordBases {
  /// Tokens that are whole words.
  package let tokens: [Int32]
  /// The number of dimensions of a vector.
  package let dimensions: Int
  private var values: [Int8] = []
  private var scales: [Float] = []
  private let kernels: KernelTable

  /// Runs the model over every word.
  ///
  /// - Parameters:
  ///   - encoder: the encoder. Intermediate features of its states are ignored.
  ///   - cache: a cache of states; nil for none.
  ///   - advance: called with the share of encoded words.
  /// - Throws: the errors of the model and the cache.
  package init(
    encoder: TextEncoder, cache: StateCache?, advance: (Double) -> Void
  ) throws(VDSQError) {
    let d = FeatureMatrix.Layout(of: encoder).blockSize
    dimensions = d
    kernels = encoder.kernels
    let words = (0..<Int32(encoder.vocabularySize)).compactMap { id in
      Self.word(encoder, id).map { (id, $0) }
    }
    tokens = words.map { $0.0 }
    values.reserveCapacity(words.count * d)
    scales.reserveCapacity(words.count)
    // In pieces, so that only the int8 form of all states is in memory.
    let label = Label(name: "word")
    for start in stride(from: 0, to: words.count, by: 512) {
      let piece = words[start..<min(start + 512, words.count)]
      let encoded = try Examples(
        piece.map { Examples.Example(text: $0.1, label: label.name) }, labels: [label],
        encoder: encoder, template: nil, cache: cache, advance: { _ in })
      for row in 0..<piece.count { append(encoded.features[row].prefix(d)) }
      advance(Double(start + piece.count) / Double(words.count))
    }
  }

  /// The text of a token if it is a word. A single letter is a word in some scripts only.
  private static func word(_ encoder: TextEncoder, _ id: Int32) -> String? {
    var bytes = encoder.token(id)[...]
    if bytes.first == 0x20 {
      bytes.removeFirst()
    } else if encoder.tokenizer.spacesWords {
      return nil
    }
    guard let text = String(validating: bytes, as: UTF8.self), bytes.count >= 2,
      text.unicodeScalars.allSatisfy({ $0.properties.isAlphabetic })
    else { return nil }
    return text
  }

  private func append(_ vector: ArraySlice<Float>) {
    let largest = vector.reduce(0) { max($0, abs($1)) }
    let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let step = largest > 0 ? largest / 127 : 1
    for x in vector { values.append(Int8((x / step).rounded())) }
    scales.append(norm > 0 ? step / norm : 0)
  }

  /// The cosine of a vector to each word.
  package func cosines(_ vector: [Float]) -> [Float] {
    let d = dimensions
    let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    var row = [Float](repeating: 0, count: d)
    var out = [Float](repeating: 0, count: tokens.count)
    guard norm > 0 else { return out }
    values.withUnsafeBufferPointer { values in
      for i in tokens.indices {
        row.withUnsafeMutableBufferPointer {
          kernels.dequantizeInt8(values.baseAddress! + i * d, d, scales[i] / norm, $0.baseAddress!)
        }
        kernels.dotRows(vector, row, 1, d, &out[i])
      }
    }
    return out
  }
}
