package import VDSQFormat

/// Accumulates the storage error of a tensor while its rows stream by.
package struct ErrorMeter {
  /// The contribution of a row. A row has few enough values for sums in float32.
  struct Row {
    fileprivate var largest = SIMD8<Float>(repeating: 0)
    fileprivate var squares = SIMD8<Float>(repeating: 0)
    fileprivate var dot = SIMD8<Float>(repeating: 0)
    fileprivate var source = SIMD8<Float>(repeating: 0)
    fileprivate var stored = SIMD8<Float>(repeating: 0)

    @inline(__always)
    mutating func add(_ value: SIMD8<Float>, _ kept: SIMD8<Float>) {
      let difference = value - kept
      largest = largest.replacing(with: difference, where: difference .> largest)
      largest = largest.replacing(with: -difference, where: -difference .> largest)
      squares += difference * difference
      dot += value * kept
      source += value * value
      stored += kept * kept
    }

    mutating func add(_ value: Float, _ kept: Float) {
      let difference = value - kept
      largest[0] = max(largest[0], difference.magnitude)
      squares[0] += difference * difference
      dot[0] += value * kept
      source[0] += value * value
      stored[0] += kept * kept
    }
  }

  private var maxAbs: Float = 0
  private var squares = 0.0
  private var dot = 0.0
  private var sourceSquares = 0.0
  private var storedSquares = 0.0
  private var count = 0

  package init() {}

  mutating func add(_ row: Row, _ count: Int) {
    maxAbs = max(maxAbs, row.largest.max())
    squares += Double(row.squares.sum())
    dot += Double(row.dot.sum())
    sourceSquares += Double(row.source.sum())
    storedSquares += Double(row.stored.sum())
    self.count += count
  }

  /// Adds values and their stored approximations. There must be few enough for sums in float32.
  mutating func add(_ values: UnsafePointer<Float>, _ kept: UnsafePointer<Float>, _ count: Int) {
    var sums = Row()
    let whole = count & ~7
    for i in stride(from: 0, to: whole, by: 8) {
      sums.add(
        UnsafeRawPointer(values + i).loadUnaligned(as: SIMD8<Float>.self),
        UnsafeRawPointer(kept + i).loadUnaligned(as: SIMD8<Float>.self))
    }
    for i in whole..<count { sums.add(values[i], kept[i]) }
    add(sums, count)
  }

  /// Adds values that are stored exactly.
  mutating func addExact(_ values: [Float]) {
    for value in values {
      sourceSquares += Double(value) * Double(value)
      storedSquares += Double(value) * Double(value)
      dot += Double(value) * Double(value)
    }
    count += values.count
  }

  package mutating func add(_ source: Float, _ stored: Float) {
    let difference = source - stored
    maxAbs = max(maxAbs, difference.magnitude)
    squares += Double(difference) * Double(difference)
    dot += Double(source) * Double(stored)
    sourceSquares += Double(source) * Double(source)
    storedSquares += Double(stored) * Double(stored)
    count += 1
  }

  package var result: QuantizationError {
    let norm = (sourceSquares * storedSquares).squareRoot()
    return QuantizationError(
      maxAbs: maxAbs, rms: Float((squares / Double(max(count, 1))).squareRoot()),
      // Two tensors of zeros agree. Rounding must not give a cosine above 1.
      cosine: norm > 0 ? min(Float(dot / norm), 1) : 1)
  }
}
