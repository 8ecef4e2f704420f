/// The answers whose probability lies in a range: how probable they were said to be, and how many
/// of them are right. A reliability diagram shows all ranges (Guo et al. 2017).
public struct ReliabilityBin: Sendable, Equatable {
  /// The number of answers.
  public private(set) var count = 0
  /// The number of right answers.
  public private(set) var right = 0
  /// The sum of the answers' probabilities.
  private var sum = 0.0

  /// The number of bins, which divide the range from 0 to 1 evenly.
  public static let number = 15

  /// The share of right answers, from 0 to 1; 0 without answers.
  public var accuracy: Double { Double(right) / Double(max(1, count)) }
  /// The mean probability of the answers, from 0 to 1; 0 without answers.
  public var confidence: Double { sum / Double(max(1, count)) }

  /// The bins of answers, by ascending probability.
  static func bins(of answers: [Evaluation.Answer]) -> [ReliabilityBin] {
    var bins = [ReliabilityBin](repeating: ReliabilityBin(), count: number)
    for answer in answers {
      let probability = Double(answer.probability)
      let bin = min(number - 1, max(0, Int(probability * Double(number))))
      bins[bin].count += 1
      bins[bin].right += answer.isRight ? 1 : 0
      bins[bin].sum += probability
    }
    return bins
  }

  /// The answers of both.
  static func + (a: ReliabilityBin, b: ReliabilityBin) -> ReliabilityBin {
    var both = a
    both.count += b.count
    both.right += b.right
    both.sum += b.sum
    return both
  }
}

extension [ReliabilityBin] {
  /// The expected calibration error of the answers in all bins, from 0 to 1.
  public var calibrationError: Double {
    let total = Double(Swift.max(1, reduce(0) { $0 + $1.count }))
    return reduce(0) {
      $0 + (Double($1.right) - $1.confidence * Double($1.count)).magnitude / total
    }
  }
}
