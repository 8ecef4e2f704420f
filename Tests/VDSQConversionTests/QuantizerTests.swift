import Foundation
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

  /// Four bits of a row as values, and their groups.
  private func fourBits(_ row: [Float], groups: Int) -> (values: [Float], meter: ErrorMeter) {
    var quantizer = FourBitQuantizer(columns: row.count, groups: groups)
    var meter = ErrorMeter()
    quantizer.quantize(row, &meter)
    let (q, found) = (quantizer.elements, quantizer.groups)
    #expect(q.allSatisfy { $0 < 16 } && found.allSatisfy { $0.zeroPoint <= 120 })
    var total = 0.0
    let values = q.enumerated().map { i, four in
      let group = found[i / groups], factor = Float(Float16(bitPattern: group.factor))
      let value = 8 * Int(four) - Int(group.zeroPoint)
      total += Double(value) * Double(factor)
      return Float(value) * (quantizer.scale * factor)
    }
    #expect(row.indices.map(quantizer.value) == values)
    let sum = quantizer.sum
    #expect((Double(sum) - total).magnitude <= 1e-5 * max(1, total.magnitude))
    return (values, meter)
  }

  /// Weights that had four bits with a minimum per group before, such as GGUF's Q4_1, come back but
  /// for the zero point, which has eighths of a step.
  @Test func fourBitsComeBack() {
    var random = Random(4)
    var row: [Float] = []
    var steps: [Float] = []
    for _ in 0..<9 {
      let step = Float.random(in: 0.01...1, using: &random)
      let low = -step * Float.random(in: 0...15, using: &random)
      steps.append(step)
      let own = (0..<32).map { _ in low + step * Float(random.integer(0, 15)) }
      row += [low, low + 15 * step] + own.dropFirst(2)
    }
    let (values, meter) = fourBits(row, groups: 32)
    for (i, (value, stored)) in zip(row, values).enumerated() {
      #expect((value - stored).magnitude <= steps[i / 32] * 0.075)
    }
    #expect(meter.result.maxAbs <= steps.max()! * 0.075)
  }

  @Test(arguments: [8, 32, 40, 64, 1000])
  func fourBitsAreCloserThanTheirRange(_ count: Int) {
    var random = Random(UInt64(count))
    for magnitude: Float in [1e-35, 1e-20, 1, 3e4, 1e30, 1e38] {
      for groups in [32, 64] {
        let row = random.floats(count, in: -1...1).map { $0 * magnitude }
        let (values, meter) = fourBits(row, groups: groups)
        guard magnitude > 1e-28 else {
          #expect(values.allSatisfy { $0 == 0 } || magnitude > 1e-30)
          continue
        }
        for first in stride(from: 0, to: count, by: groups) {
          let own = first..<min(first + groups, count)
          let width = max(0, Double(row[own].max()!)) - min(0, Double(row[own].min()!))
          let square = own.reduce(0.0) {
            $0 + pow((Double(row[$1]) - Double(values[$1])) / width, 2)
          }
          // A fifteenth of the range is a step. Rounding loses at most a half of it, and the zero
          // point a sixteenth.
          #expect(square / Double(own.count) < 0.32 / (15 * 15))
        }
        guard magnitude < 1e10 else { continue }
        #expect(meter.result.cosine > 0.99)
      }
    }
    let (zeros, _) = fourBits([Float](repeating: 0, count: count), groups: 32)
    #expect(zeros.allSatisfy { $0 == 0 })
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
