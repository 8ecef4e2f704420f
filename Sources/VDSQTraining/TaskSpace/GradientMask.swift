/// The entries of a task's gradient that are largest by magnitude: a share of all entries of all
/// chosen layers (Weber et al. 2024).
package struct GradientMask: Sendable {
  /// For each chosen layer, places in `[hiddenSize, intermediateSize]`, ascending.
  package let places: [[Int32]]
  /// The gradient there.
  package let values: [[Float]]

  /// The number of entries.
  package var count: Int { places.reduce(0) { $0 + $1.count } }

  /// - Parameters:
  ///   - gradients: for each layer, its elements.
  ///   - share: above 0 and at most 1.
  package init(_ gradients: [Floats], share: Double) {
    let all = gradients.reduce(0) { $0 + $1.count }
    let wanted = min(all, max(1, Int((share * Double(all)).rounded())))
    let (threshold, ties) = Self.threshold(gradients, wanted)
    var left = ties
    var places: [[Int32]] = [], values: [[Float]] = []
    for gradient in gradients {
      var own: [Int32] = [], kept: [Float] = []
      let room = (0..<gradient.count).count {
        gradient.p[$0].magnitude.bitPattern >= threshold
      }
      own.reserveCapacity(min(wanted, room))
      kept.reserveCapacity(min(wanted, room))
      for i in 0..<gradient.count {
        let bits = gradient.p[i].magnitude.bitPattern
        guard bits > threshold || (bits == threshold && left > 0) else { continue }
        if bits == threshold { left -= 1 }
        own.append(Int32(i))
        kept.append(gradient.p[i])
      }
      places.append(own)
      values.append(kept)
    }
    (self.places, self.values) = (places, values)
  }

  /// The magnitude of the entry of rank `wanted`, as bits, and how many entries of this magnitude
  /// are among the largest. Magnitudes are ordered like their bits, so two histograms find it.
  private static func threshold(_ gradients: [Floats], _ wanted: Int) -> (UInt32, ties: Int) {
    /// The digit of the entry that is `rank`-th from above, and its rank among those of this digit.
    func digit(_ rank: Int, _ digit: (UInt32) -> Int?) -> (Int, Int) {
      var counts = [Int](repeating: 0, count: 1 << 16)
      for gradient in gradients {
        for i in 0..<gradient.count {
          if let place = digit(gradient.p[i].magnitude.bitPattern) { counts[place] += 1 }
        }
      }
      var left = rank, place = counts.count - 1
      while place > 0, left > counts[place] {
        left -= counts[place]
        place -= 1
      }
      return (place, left)
    }
    let (high, rank) = digit(wanted) { Int($0 >> 16) }
    let (low, ties) = digit(rank) { Int($0 >> 16) == high ? Int($0 & 0xFFFF) : nil }
    return (UInt32(high) << 16 | UInt32(low), ties)
  }

  /// The product with a gradient: `<M g, other>`.
  package func product(_ other: [Floats]) -> Double {
    var sum = 0.0
    for layer in places.indices {
      for (place, value) in zip(places[layer], values[layer]) {
        sum += Double(value) * Double(other[layer].p[Int(place)])
      }
    }
    return sum
  }

  /// `<M g, M g>`.
  package var square: Double {
    values.reduce(0) { $1.reduce($0) { $0 + Double($1) * Double($1) } }
  }
}
