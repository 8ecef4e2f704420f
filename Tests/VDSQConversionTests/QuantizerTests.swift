import TestSupport
import Testing

import VDSQConversion

/// The vectorised loops, compared with a conversion of single values.
@Suite struct QuantizerTests {
  private static let lengths = [1, 2, 7, 8, 9, 31, 64, 100, 4097]

  @Test(arguments: lengths)
  func rowsAreRoundedToTheNearest(_ count: Int) {
    var random = Random(UInt64(count))
    for magnitude: Float in [1e-35, 1e-20, 1, 3e4, 1e30] {
      let row = random.floats(count, in: -1...1).map { $0 * magnitude }
      var q: [Int8] = []
      var meter = ErrorMeter()
      let scale = Quantizer.quantize(row, into: &q, &meter)
      let largest = row.map(\.magnitude).max()!
      #expect(scale == (largest > 1e-30 ? largest / 127 : 1))
      var exact = ErrorMeter()
      for (value, code) in zip(row, q) {
        #expect(Float(code) == (value * (1 / scale)).rounded(.toNearestOrEven))
        exact.add(value, Float(code) * scale)
      }
      // Squares of the smallest and largest magnitudes are beyond a float; no weights are of those.
      guard magnitude > 1e-10, magnitude < 1e10 else { continue }
      #expect(meter.result.maxAbs == exact.result.maxAbs)
      #expect((meter.result.rms - exact.result.rms).magnitude <= 1e-4 * exact.result.rms)
      #expect((meter.result.cosine - exact.result.cosine).magnitude <= 1e-5)
    }
  }

  @Test(arguments: lengths)
  func halvesAreTheLibrarys(_ count: Int) {
    var random = Random(UInt64(count))
    var values = random.floats(count, in: -1...1).enumerated().map {
      $1 * [1, 1e-8, 6e-5, 6e4, 1e-3, 0][$0 % 6]
    }
    values[0] = [65504, -65504, 0x1p-24, -0x1p-25, 0x1.8p-25, 65519.996][count % 6]
    var bits = [UInt16](repeating: 0, count: count)
    var meter = ErrorMeter()
    #expect(HalfPrecision.encode(values, into: &bits, &meter))
    #expect(bits == values.map { Float16($0).bitPattern })
    for beyond: Float in [65520, -1e6, .infinity, .nan] {
      values[count / 2] = beyond
      #expect(!HalfPrecision.encode(values, into: &bits, &meter))
    }
  }

  /// Every half, and the floats around the midpoint of each pair of neighbours.
  @Test func everyHalfComesBack() {
    var values: [Float] = []
    for bits in UInt16(0)..<0x7BFF {
      let low = Float(Float16(bitPattern: bits)), high = Float(Float16(bitPattern: bits + 1))
      let middle = (low + high) / 2
      values += [low, middle.nextDown, middle, middle.nextUp, -low, -middle]
    }
    var bits = [UInt16](repeating: 0, count: values.count)
    var meter = ErrorMeter()
    #expect(HalfPrecision.encode(values, into: &bits, &meter))
    #expect(zip(bits, values).allSatisfy { $0 == Float16($1).bitPattern })
  }
}
