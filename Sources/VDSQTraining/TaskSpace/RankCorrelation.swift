/// Rank correlation.
package enum RankCorrelation {
  /// Spearman's coefficient: the correlation of ranks, of which ties have the mean. 0 if one side
  /// does not vary.
  package static func spearman(_ x: [Double], _ y: [Double]) -> Double {
    let (x, y) = (ranks(x), ranks(y))
    let middle = Double(x.count - 1) / 2
    var (xx, yy, xy) = (0.0, 0.0, 0.0)
    for (a, b) in zip(x, y) {
      xx += (a - middle) * (a - middle)
      yy += (b - middle) * (b - middle)
      xy += (a - middle) * (b - middle)
    }
    return xx > 0 && yy > 0 ? xy / (xx * yy).squareRoot() : 0
  }

  private static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var first = 0
    while first < order.count {
      var end = first + 1
      while end < order.count, values[order[end]] == values[order[first]] { end += 1 }
      for place in order[first..<end] { ranks[place] = Double(first + end - 1) / 2 }
      first = end
    }
    return ranks
  }
}
