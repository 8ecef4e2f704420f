import CShims

/// The probabilities of all tokens after one state: `softmax(scores / temperature)`.
struct TokenDistribution {
  /// `[vocabulary]`, the value of each token.
  let scores: UnsafePointer<Float>
  let count: Int
  private let inverse: Float
  /// The largest value, and the logarithm of the sum of exponentials relative to it.
  private let largest: Float
  private let logTotal: Float
  /// The entropy in nats, from 0 to the logarithm of the vocabulary's size.
  let entropy: Float

  /// - Parameter scores: `[count]` finite values, which must stay valid.
  init(_ scores: UnsafePointer<Float>, count: Int, temperature: Float) {
    self.scores = scores
    self.count = count
    inverse = 1 / temperature
    var largest = -Float.infinity
    for i in 0..<count { largest = max(largest, scores[i]) }
    var total = 0.0, weighted = 0.0
    for i in 0..<count {
      let power = (scores[i] - largest) * inverse
      let weight = vdsq_expf(power)
      total += Double(weight)
      weighted += Double(weight * power)
    }
    self.largest = largest
    logTotal = vdsq_logf(Float(total))
    entropy = max(0, logTotal - Float(weighted / total))
  }

  /// The logarithm of a token's probability.
  func logProbability(_ id: Int) -> Float { (scores[id] - largest) * inverse - logTotal }

  /// A token's probability.
  func probability(_ id: Int) -> Float { vdsq_expf(logProbability(id)) }

  /// The number of tokens of higher values; among equal ones those of lower ids.
  func rank(_ id: Int) -> Int {
    let own = scores[id]
    var rank = 0
    for i in 0..<count where scores[i] > own || (scores[i] == own && i < id) { rank += 1 }
    return rank
  }

  /// The Kullback-Leibler divergence of this distribution from another one, in nats: what is lost
  /// if this one stands for the other one.
  ///
  /// - Parameter probabilities: those of the other one, `[count]`.
  func divergence(from other: TokenDistribution, probabilities: [Float]) -> Float {
    var sum = 0.0
    for i in 0..<count {
      sum += Double(probabilities[i] * (other.logProbability(i) - logProbability(i)))
    }
    return Float(max(0, sum))
  }
}
