import VDSQInference

/// Rows of the inputs of linear layers, of some layers of a model that reads the calibration text.
final class InputSample {
  private let layers: Range<Int>
  /// One of so many tokens is kept.
  private let every: Int
  /// The number of tokens before the text that is being read.
  var tokensBefore = 0
  /// The upper halves of the floats, for each layer and input. Eight bits of a number are enough to
  /// know where it is large.
  private var halves: [[UInt16]]

  /// - Parameters:
  ///   - width: the columns of all inputs of a layer.
  ///   - tokens: the number of tokens that the model reads at most.
  ///   - layerBytes: the number of bytes of a layer's rows that are kept at most.
  init(layers: Range<Int>, width: Int, tokens: Int, layerBytes: Int) {
    self.layers = layers
    every = max(1, (tokens * width * 2 + layerBytes - 1) / layerBytes)
    halves = Array(repeating: [], count: layers.count * LinearInput.count)
  }

  /// The number of layers whose rows fit a number of bytes, at least one.
  static func layers(in bytes: Int, width: Int, tokens: Int, layerBytes: Int) -> Int {
    max(1, bytes / min(layerBytes, max(1, tokens * width * 2)))
  }

  private func place(_ input: LinearInput, _ layer: Int) -> Int {
    (layer - layers.lowerBound) * LinearInput.count + input.rawValue
  }

  /// Keeps rows of an input.
  func add(_ rows: InputObserver.Rows) {
    guard layers.contains(rows.layer) else { return }
    let place = place(rows.input, rows.layer)
    for (index, row) in rows.rows.enumerated() where (tokensBefore + row) % every == 0 {
      let from = rows.values + index * rows.stride
      for column in 0..<rows.columns {
        halves[place].append(UInt16(truncatingIfNeeded: from[column].bitPattern >> 16))
      }
    }
  }

  /// The rows of an input, as floats.
  func rows(_ input: LinearInput, layer: Int) -> [Float] {
    halves[place(input, layer)].map { Float(bitPattern: UInt32($0) << 16) }
  }
}
