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

  /// - Parameter scores: `[count]` finite values, which must stay valid.
  init(_ scores: UnsafePointer<Float>, count: Int, temperature: Float) {
    self.scores = scores
    self.count = count
    inverse = 1 / temperature
    var largest = -Float.infinity
    for i in 0..<count { largest = max(largest, scores[i]) }
    var total = 0.0
    for i in 0..<count { total += Double(vdsq_expf((scores[i] - largest) * inverse)) }
    self.largest = largest
    logTotal = vdsq_logf(Float(total))
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

  /// The entropy in nats, from 0 to the logarithm of the vocabulary's size.
  var entropy: Float {
    var sum = 0.0
    for i in 0..<count {
      let logProbability = logProbability(i)
      sum -= Double(vdsq_expf(logProbability) * logProbability)
    }
    return Float(max(0, sum))
  }

  /// The Kullback-Leibler divergence of another distribution from this one, in nats: what is lost if
  /// the other one stands for this one.
  func divergence(of other: TokenDistribution) -> Float {
    var sum = 0.0
    for i in 0..<count {
      let own = logProbability(i)
      sum += Double(vdsq_expf(own) * (own - other.logProbability(i)))
    }
    return Float(max(0, sum))
  }
}
