public import VDSQFormat
public import VDSQInference

/// The state of every layer at every token in vocabulary terms: a logit lens with disentangled
/// logits, the cosines to vocabulary bases.
public struct Lens {
  /// One layer at one token.
  public struct Cell {
    /// The tokens with the closest bases, best first.
    public let top: [VocabularyLogits.Result]
    /// The cosine to the state of the layer before; nil for the embeddings.
    public let similarity: Float?
    /// The rank of the last layer's first token among `top`; nil if it is not among them.
    public let rankOfFinal: Int?
  }

  /// The token ids of the text as the model read it, special tokens included.
  public let ids: [Int32]
  /// `[layers][tokens]`, the embeddings first.
  public let cells: [[Cell]]
  /// For each token, the first layer whose closest token is that of the last layer.
  public let firstLayers: [Int]

  /// - Parameter top: the number of tokens to keep for each state.
  /// - Throws: `badInput` if the model has no bases or fails.
  public init(
    _ text: UnsafeRawBufferPointer, encoder: TextEncoder, top: Int, temperature: Float
  ) throws(VDSQError) {
    let logits = VocabularyLogits(
      rows: try VocabularyRows(bases: encoder.container), kernels: encoder.kernels,
      threads: encoder.threads, capacity: top)
    let trace = try encoder.trace(text)
    guard logits.rows.dimensions == trace.dimensions else {
      throw .badInput("\(encoder.container.path): bases of another size than the model's states")
    }
    let d = trace.dimensions
    let count = trace.ids.count
    var found: [[[VocabularyLogits.Result]]] = []
    var similarities: [[Float?]] = []
    trace.states.withUnsafeBufferPointer { states in
      for layer in 0..<trace.layers {
        let start = states.baseAddress! + layer * count * d
        var row = [[VocabularyLogits.Result]](repeating: [], count: count)
        logits.find(start, count: count, temperature: temperature) { row[$0].append($1) }
        found.append(row)
        var similar: [Float?] = []
        for token in 0..<count {
          let state = start + token * d
          similar.append(layer == 0 ? nil : Self.cosine(state, state - count * d, d))
        }
        similarities.append(similar)
      }
    }
    let last = found[trace.layers - 1]
    ids = trace.ids
    var cells: [[Cell]] = []
    for (layer, row) in found.enumerated() {
      var line: [Cell] = []
      for (token, results) in row.enumerated() {
        let final = last[token].first?.id
        line.append(
          Cell(
            top: results, similarity: similarities[layer][token],
            rankOfFinal: results.firstIndex { $0.id == final }))
      }
      cells.append(line)
    }
    self.cells = cells
    var firstLayers: [Int] = []
    for token in 0..<count {
      firstLayers.append(cells.firstIndex { $0[token].rankOfFinal == 0 } ?? trace.layers - 1)
    }
    self.firstLayers = firstLayers
  }

  private static func cosine(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ d: Int
  ) -> Float {
    var product: Float = 0
    for i in 0..<d { product += a[i] * b[i] }
    let norms = length(a, d) * length(b, d)
    return norms > 0 ? product / norms : 0
  }
}
