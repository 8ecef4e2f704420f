import Glibc

/// Chooses words for labels one after another, by the likelihood of examples.
///
/// The score of a label is the cosine of a text to the sum of its words' vectors, over a
/// temperature; a softmax over the labels gives probabilities.
package struct WordSelection {
  /// The words of each label, in the order in which they were chosen.
  package private(set) var words: [[Int]]

  /// `[examples, words]` cosines, and `[words, words]` products.
  private let cosines, gram: [Float]
  private let count: Int
  private let targets: [Int]
  private let proposing, accepting: [Int]
  private let temperatures: [Float]
  /// What scores are divided by.
  package private(set) var temperature: Float = 0.05
  /// `[labels][examples]` cosines of labels; 0 for a label without words.
  private var scores: [[Float]]

  package init(
    cosines: [Float], gram: [Float], targets: [Int], labels: Int, proposing: [Int],
    accepting: [Int], temperatures: [Float]
  ) {
    self.cosines = cosines
    self.gram = gram
    self.targets = targets
    (self.proposing, self.accepting, self.temperatures) = (proposing, accepting, temperatures)
    count = cosines.count / max(1, targets.count)
    words = [[Int]](repeating: [], count: labels)
    scores = [[Float]](repeating: [Float](repeating: 0, count: targets.count), count: labels)
  }

  /// Adds to a label the word that makes the proposing examples likeliest, if the accepting ones
  /// become likelier too. The first word of a label is taken in any case.
  package mutating func extend(_ label: Int, by candidates: [Int], isFirst: Bool) {
    let taken = Set(words.joined())
    let rest = rest(without: label)
    let before = (
      likelihood(label, scores[label], rest, proposing),
      likelihood(label, scores[label], rest, accepting)
    )
    var best: (word: Int, score: [Float], likelihood: Double)?
    for word in candidates where !taken.contains(word) {
      let score = score(words[label] + [word])
      let likelihood = likelihood(label, score, rest, proposing)
      if likelihood > best?.likelihood ?? (isFirst ? -.infinity : before.0) {
        best = (word, score, likelihood)
      }
    }
    guard let best, isFirst || likelihood(label, best.score, rest, accepting) > before.1
    else { return }
    words[label].append(best.word)
    scores[label] = best.score
  }

  /// The temperature at which the proposing examples are likeliest.
  package mutating func chooseTemperature() {
    var best = (temperature, -Double.infinity)
    for candidate in temperatures {
      temperature = candidate
      let likelihood = likelihood(0, scores[0], rest(without: 0), proposing)
      if likelihood > best.1 { best = (candidate, likelihood) }
    }
    temperature = best.0
  }

  /// The cosines of all examples to the sum of some words.
  private func score(_ words: [Int]) -> [Float] {
    var square: Float = 0
    for a in words { for b in words { square += gram[a * count + b] } }
    let scale = square > 1e-12 ? 1 / square.squareRoot() : 0
    return targets.indices.map { example in
      scale * words.reduce(0) { $0 + cosines[example * count + $1] }
    }
  }

  /// For each example, the sum of the exponentials of all labels but one.
  private func rest(without label: Int) -> [Double] {
    targets.indices.map { example in
      scores.indices.reduce(0.0) {
        $1 == label ? $0 : $0 + exp(Double(scores[$1][example] / temperature))
      }
    }
  }

  /// The log-likelihood of some examples if a label has other scores.
  private func likelihood(
    _ label: Int, _ score: [Float], _ rest: [Double], _ members: [Int]
  ) -> Double {
    members.reduce(0.0) { sum, example in
      let own = exp(Double(score[example] / temperature))
      let target = targets[example]
      let logit = target == label ? score[example] : scores[target][example]
      return sum + Double(logit / temperature) - log(rest[example] + own)
    }
  }
}
