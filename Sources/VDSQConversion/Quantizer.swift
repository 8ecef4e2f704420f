import VDSQFormat

/// Symmetric int8 with one scale a row: `x ~= scale * q`, q in -127...127.
enum Quantizer {
  /// Quantizes a row.
  ///
  /// - Returns: the scale.
  static func quantize(_ row: ArraySlice<Float>, into q: inout [Int8]) -> Float {
    var largest: Float = 0
    for value in row { largest = max(largest, value.magnitude) }
    // A row of zeros, or of numbers that only a denormal scale would represent, is zeros.
    let scale: Float = largest > 1e-30 ? largest / 127 : 1
    let inverse = 1 / scale
    for value in row { q.append(Int8((value * inverse).rounded(.toNearestOrEven))) }
    return scale
  }
}

/// Sums up what quantization costs a tensor while it streams by.
struct ErrorMeter {
  private var maxAbs: Float = 0
  private var squares = 0.0
  private var dot = 0.0
  private var sourceSquares = 0.0
  private var storedSquares = 0.0
  private var count = 0

  mutating func add(_ source: Float, _ stored: Float) {
    let difference = source - stored
    maxAbs = max(maxAbs, difference.magnitude)
    squares += Double(difference) * Double(difference)
    dot += Double(source) * Double(stored)
    sourceSquares += Double(source) * Double(source)
    storedSquares += Double(stored) * Double(stored)
    count += 1
  }

  var result: QuantizationError {
    let norm = (sourceSquares * storedSquares).squareRoot()
    return QuantizationError(
      maxAbs: maxAbs, rms: Float((squares / Double(max(count, 1))).squareRoot()),
      // Two tensors of zeros agree.
      cosine: norm > 0 ? Float(dot / norm) : 1)
  }
}
