import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTraining

/// What texts are explained by: vocabulary bases, and what their tokens are called.
enum ExplanationBases {
  /// A sentence encoder's own vectors of its words.
  case words(WordBases, TextEncoder)
  /// A language model's bases.
  case rows(VocabularyRows, TextEncoder)

  init(
    _ encoder: TextEncoder, cache: StateCache?, quiet: Bool
  ) throws(VDSQError) {
    guard encoder.kind == .sentences else {
      self = .rows(try VocabularyRows(bases: encoder.container), encoder)
      return
    }
    let bar = ProgressBar("reading the vocabulary", quiet: quiet)
    defer { bar.end() }
    self = .words(
      try WordBases(encoder: encoder, cache: cache) { bar.show(Int($0 * 1000), of: 1000) }, encoder)
  }

  func token(_ index: Int) -> String {
    switch self {
    case .words(let bases, let encoder): Self.text(encoder.token(bases.tokens[index]))
    case .rows(_, let encoder): Self.text(encoder.token(Int32(index)))
    }
  }

  private static func text(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes, as: UTF8.self)
    return text.hasPrefix(" ") ? String(text.dropFirst()) : text
  }

  /// The cosine of a vector to each basis.
  func cosines(_ vector: [Float]) -> [Float] {
    switch self {
    case .words(let bases, _): return bases.cosines(vector)
    case .rows(let rows, let encoder):
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
}
