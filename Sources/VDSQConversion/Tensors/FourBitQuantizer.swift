import VDSQFormat

/// Four bits in groups of columns: `x ~= scale * factor * (8 q - z)`, q in 0...15, z in 0...120.
///
/// Eighths of a step let the zero point lie where it must, although it is an integer, so that
/// weights that already have four bits with a minimum per group are stored nearly as they are.
package struct FourBitQuantizer {
  /// A group's factor in half precision, and its zero point.
  package struct Group {
    package var factor: UInt16
    package var zeroPoint: UInt8
  }

  /// Ranges that are tried, as shares of that of the weights: the extremes of a group are clipped
  /// if the others gain by it.
  private static let shares: [Float] = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65]

  private let length: Int
  /// The row that was quantized last: a byte for each column.
  package private(set) var elements: [UInt8]
  /// The groups of the row that was quantized last.
  package private(set) var groups: [Group]
  /// The scale of the row that was quantized last.
  package private(set) var scale: Float = 1
  /// The sum of the weights of the row that was quantized last, before its scale.
  package private(set) var sum: Float = 0
  /// The weights of the best group so far, and of the group that is tried.
  private var best: [UInt8]
  private var tried: [UInt8]
  /// A row whose weights make up for the errors of those before them.
  private var corrected: [Float] = []

  /// - Parameters:
  ///   - columns: the columns of a row, a multiple of 8.
  ///   - length: the columns of a group, a multiple of 8.
  package init(columns: Int, groups length: Int) {
    self.length = length
    elements = [UInt8](repeating: 0, count: columns)
    groups = [Group](
      repeating: Group(factor: 0, zeroPoint: 0), count: (columns + length - 1) / length)
    best = [UInt8](repeating: 0, count: length)
    tried = best
  }

  /// The stored value of a column of the row that was quantized last.
  package func value(_ column: Int) -> Float {
    let group = groups[column / length]
    return Float(8 * Int(elements[column]) - Int(group.zeroPoint))
      * (scale * Float(Float16(bitPattern: group.factor)))
  }

  /// Gives the bytes of the row that was quantized last to `store`, by their places: of eight
  /// columns, the first four are in the low bits of four bytes, the others in the high bits.
  func pack(_ store: (_ place: Int, _ byte: UInt8) -> Void) {
    for k in stride(from: 0, to: elements.count, by: 8) {
      for j in 0..<4 { store(k / 2 + j, elements[k + j] | elements[k + 4 + j] << 4) }
    }
  }

  /// Quantizes a row of as many weights as there are columns.
  ///
  /// - Parameter feedback: rounds weights one after another if it is given, otherwise each to its
  ///   nearest value.
  package mutating func quantize(
    _ row: UnsafePointer<Float>, feedback: RoundingFeedback? = nil, _ meter: inout ErrorMeter
  ) {
    guard let feedback else {
      return quantize(row, corrected: nil, shares: nil, costs: nil, &meter)
    }
    var x = corrected
    corrected = []
    x.removeAll(keepingCapacity: true)
    x.append(contentsOf: UnsafeBufferPointer(start: row, count: elements.count))
    x.withUnsafeMutableBufferPointer { x in
      feedback.shares.withUnsafeBufferPointer { shares in
        feedback.costs.withUnsafeBufferPointer { costs in
          quantize(
            row, corrected: x.baseAddress!, shares: shares.baseAddress!,
            costs: costs.baseAddress!, &meter)
        }
      }
    }
    corrected = x
  }

  /// - Parameters:
  ///   - corrected: a copy of the row, which is corrected; nil to round to the nearest.
  ///   - shares: `[count, count]`: shares of a weight's error, taken out of those behind it.
  ///   - costs: `[count]`: what the square of a weight's error costs; nil for 1.
  private mutating func quantize(
    _ row: UnsafePointer<Float>, corrected: UnsafeMutablePointer<Float>?,
    shares: UnsafePointer<Float>?, costs: UnsafePointer<Float>?, _ meter: inout ErrorMeter
  ) {
    let count = elements.count
    var widest: Float = 0
    for first in stride(from: 0, to: count, by: length) {
      let (low, high) = Self.range(row + first, min(length, count - first))
      widest = max(widest, high / 120 - low / 120)
    }
    // A row of zeros, or of numbers that would need a denormal scale, is stored as zeros.
    scale = widest > 1e-30 ? widest : 1
    var total = 0.0
    for place in groups.indices {
      let first = place * length
      let columns = min(length, count - first)
      let group = fit(
        corrected.map { UnsafePointer($0) + first } ?? row + first, costs.map { $0 + first },
        columns, scale)
      groups[place] = group
      if let corrected, let shares {
        roundInTurn(
          corrected + first, columns, before: count - first,
          shares + first * count + first, stride: count, scale, group)
      }
      let factor = Float(Float16(bitPattern: group.factor))
      var sum = 0
      var sums = ErrorMeter.Row()
      for i in 0..<columns {
        elements[first + i] = best[i]
        let value = 8 * Int(best[i]) - Int(group.zeroPoint)
        sum += value
        sums.add(row[first + i], Float(value) * (scale * factor))
      }
      meter.add(sums, columns)
      total += Double(sum) * Double(factor)
    }
    sum = Float(total)
  }

  /// The group with the least squared error among those that are tried; its weights are in `best`.
  private mutating func fit(
    _ x: UnsafePointer<Float>, _ costs: UnsafePointer<Float>?, _ count: Int, _ scale: Float
  ) -> Group {
    let (low, high) = Self.range(x, count)
    var least = Float.infinity
    var result = Group(factor: 0, zeroPoint: 0)
    /// - Parameter step: in multiples of the scale of the row.
    func consider(_ step: Float, _ low: Float) {
      let factor = Float16(step)
      guard scale * Float(factor) > 1e-30 else { return }
      let zeroPoint = min(max((-low / (scale * Float(factor))).rounded(), 0), 120)
      let error = round(x, costs, count, scale, Float(factor), zeroPoint)
      guard error < least else { return }
      least = error
      result = Group(factor: factor.bitPattern, zeroPoint: UInt8(zeroPoint))
      swap(&best, &tried)
    }
    let width = (high / 120 - low / 120) / scale
    for share in Self.shares {
      let before = least
      consider(share * width, share * low)
      // Clipping more than what already costs too much is worse still.
      guard least < before || share > 0.9 else { break }
    }
    guard least < .infinity else {
      for i in 0..<count { best[i] = 0 }
      return result
    }
    // The factor that fits the integers best.
    var (products, squares): (Float, Float) = (0, 0)
    for i in 0..<count {
      let value = Float(8 * Int(best[i]) - Int(result.zeroPoint))
      let cost = costs?[i] ?? 1
      products += cost * (x[i] / scale) * value
      squares += cost * value * value
    }
    let zeroPoint = Float(result.zeroPoint)
    if squares > 0, products > 0 {
      let step = products / squares
      consider(step, -zeroPoint * step * scale)
    }
    return result
  }

  /// Rounds the weights of a group to `tried`.
  ///
  /// - Returns: the sum of squared errors times their costs, in multiples of the scale of the row.
  private mutating func round(
    _ x: UnsafePointer<Float>, _ costs: UnsafePointer<Float>?, _ count: Int, _ scale: Float,
    _ step: Float, _ zeroPoint: Float
  ) -> Float {
    let inverse = 1 / step, unit = 1 / scale
    var errors = SIMD8<Float>(repeating: 0)
    for i in stride(from: 0, to: count, by: 8) {
      let value = UnsafeRawPointer(x + i).loadUnaligned(as: SIMD8<Float>.self) * unit
      let four = ((value * inverse + zeroPoint) * 0.125).rounded(.toNearestOrEven)
        .clamped(lowerBound: SIMD8(repeating: 0), upperBound: SIMD8(repeating: 15))
      let error = value - (8 * four - zeroPoint) * step
      if let costs {
        errors +=
          error * error * UnsafeRawPointer(costs + i).loadUnaligned(as: SIMD8<Float>.self)
      } else {
        errors += error * error
      }
      for j in 0..<8 { tried[i + j] = UInt8(four[j]) }
    }
    return errors.sum()
  }

  /// Rounds the weights of a group to `best`, one after another, and takes shares of each one's
  /// error out of those behind it.
  ///
  /// - Parameters:
  ///   - remaining: the columns of the row from the group on, a multiple of 8.
  ///   - shares: from the group's first row and column on.
  private mutating func roundInTurn(
    _ x: UnsafeMutablePointer<Float>, _ count: Int, before remaining: Int,
    _ shares: UnsafePointer<Float>, stride: Int, _ scale: Float, _ group: Group
  ) {
    let step = scale * Float(Float16(bitPattern: group.factor)), zeroPoint = Float(group.zeroPoint)
    for i in 0..<count {
      let four =
        step > 0
        ? min(max(((x[i] / step + zeroPoint) * 0.125).rounded(.toNearestOrEven), 0), 15) : 0
      best[i] = UInt8(four)
      let error = x[i] - (8 * four - zeroPoint) * step
      // Shares of the weights up to this one are zeros.
      for j in Swift.stride(from: i & ~7, to: remaining, by: 8) {
        let place = UnsafeMutableRawPointer(x + j)
        let share = UnsafeRawPointer(shares + i * stride + j).loadUnaligned(as: SIMD8<Float>.self)
        place.storeBytes(
          of: place.loadUnaligned(as: SIMD8<Float>.self) - error * share, as: SIMD8<Float>.self)
      }
    }
  }

  /// The smallest and the largest weight; 0 lies between them.
  private static func range(
    _ x: UnsafePointer<Float>, _ count: Int
  ) -> (low: Float, high: Float) {
    var (low, high): (Float, Float) = (0, 0)
    for i in 0..<count {
      low = min(low, x[i])
      high = max(high, x[i])
    }
    return (low, high)
  }
}
