/// The probability from which a label is given, so that held-out texts have the highest F1.
package enum F1Threshold {
  /// - Parameters:
  ///   - probabilities: one for each text, from 0 to 1.
  ///   - has: whether each text has the label; at least one does.
  /// - Returns: halfway between the last text that gets the label and the next one. Of equally good
  ///   ones, the one closest to 0.5.
  package static func best(_ probabilities: [Double], _ has: [Bool]) -> Double {
    let order = probabilities.indices.sorted { probabilities[$0] > probabilities[$1] }
    let support = has.count { $0 }
    var best = (threshold: 0.5, f1: 0.0)
    var right = 0
    for (place, text) in order.enumerated() {
      right += has[text] ? 1 : 0
      let next = place + 1 < order.count ? probabilities[order[place + 1]] : 0
      guard probabilities[text] > next else { continue }
      let f1 = 2 * Double(right) / Double(place + 1 + support)
      let threshold = (probabilities[text] + next) / 2
      if f1 > best.f1
        || (f1 == best.f1 && (threshold - 0.5).magnitude < (best.threshold - 0.5).magnitude)
      {
        best = (threshold, f1)
      }
    }
    return best.threshold
  }
}
