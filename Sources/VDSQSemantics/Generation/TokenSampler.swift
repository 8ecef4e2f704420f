import CShims
package import VDSQFormat
import VDSQKernels

/// Chooses tokens by the logits of a language model. What it chooses depends on the logits, the
/// options and the seed alone.
package final class TokenSampler {
  /// A token and its probability among those to choose from.
  package struct Candidate: Equatable {
    package let id: Int32
    package let probability: Float
  }

  private let options: SamplingOptions
  private let count: Int
  private var random: SplitMix64
  /// Whether a token is in the text already.
  private var seen: [Bool]
  private var candidates: [(id: Int32, weight: Float)] = []
  private let scores: UnsafeMutablePointer<Float>
  private let ids: UnsafeMutablePointer<Int32>
  /// The number of candidates that are looked for first.
  private static let first = 64

  /// - Parameter count: the number of rows of the vocabulary.
  /// - Throws: `usage` for options out of range.
  package init(_ options: SamplingOptions, count: Int) throws(VDSQError) {
    guard options.temperature >= 0, options.temperature < .infinity else {
      throw .usage("a temperature of \(options.temperature): from 0 up is possible", .temperature)
    }
    guard options.topK >= 0, options.topP > 0, options.topP <= 1, options.minP >= 0,
      options.minP <= 1, options.repetitionPenalty > 0, options.repetitionPenalty < .infinity
    else {
      throw .usage(
        "sampling: top-k from 0 up, top-p above 0 and up to 1, min-p from 0 to 1 and a repetition "
          + "penalty above 0 are possible")
    }
    self.options = options
    self.count = count
    random = SplitMix64(seed: options.seed)
    seen = [Bool](repeating: false, count: options.repetitionPenalty == 1 ? 0 : count)
    scores = .allocate(capacity: count)
    ids = .allocate(capacity: count)
  }

  deinit {
    scores.deallocate()
    ids.deallocate()
  }

  /// Begins a text.
  ///
  /// - Parameter stream: the number of the text, so that texts with one seed differ.
  package func begin(stream: UInt64 = 0) {
    // A mixed number: steps of SplitMix64's own would be the same sequence, shifted.
    var mixer = SplitMix64(seed: stream)
    random = SplitMix64(seed: options.seed ^ (stream == 0 ? 0 : mixer.next()))
    for i in seen.indices { seen[i] = false }
  }

  /// Tells which token follows, or was in the prompt.
  package func note(_ id: Int32) {
    if !seen.isEmpty { seen[Int(id)] = true }
  }

  /// Chooses a token.
  ///
  /// - Parameter logits: `[count]`; minus infinity for tokens that are not allowed. They are changed.
  /// - Returns: nil if no token is allowed.
  package func choose(_ logits: UnsafeMutablePointer<Float>) -> Int32? {
    penalize(logits)
    guard options.temperature > 1e-6 else { return likeliest(logits) }
    guard let largest = likeliest(logits).map({ logits[Int($0)] }) else { return nil }
    guard options.topK > 0 || options.topP < 1 || options.minP > 0 else {
      return drawFromAll(logits, largest)
    }
    select(logits, largest)
    var total = 0.0
    for candidate in candidates { total += Double(candidate.weight) }
    var rest = random.nextUnit() * total
    for candidate in candidates {
      rest -= Double(candidate.weight)
      if rest < 0 { return candidate.id }
    }
    return candidates.last?.id
  }

  /// The tokens to choose from, likeliest first, with their probabilities; of equal ones the lower
  /// id first.
  ///
  /// - Parameter logits: as for `choose`, at a temperature above 0.
  package func distribution(_ logits: UnsafeMutablePointer<Float>) -> [Candidate] {
    penalize(logits)
    guard let largest = likeliest(logits).map({ logits[Int($0)] }) else { return [] }
    select(logits, largest)
    var total = 0.0
    for candidate in candidates { total += Double(candidate.weight) }
    return candidates.map {
      Candidate(id: $0.id, probability: Float(Double($0.weight) / total))
    }
  }

  private func penalize(_ logits: UnsafeMutablePointer<Float>) {
    guard !seen.isEmpty else { return }
    for i in 0..<count where seen[i] {
      logits[i] =
        logits[i] < 0
        ? logits[i] * options.repetitionPenalty : logits[i] / options.repetitionPenalty
    }
  }

  /// The token of the largest logit; of equal ones the lower id.
  private func likeliest(_ logits: UnsafeMutablePointer<Float>) -> Int32? {
    var best: Int?
    var largest = -Float.infinity
    for i in 0..<count where logits[i] > largest { (best, largest) = (i, logits[i]) }
    return best.map { Int32($0) }
  }

  /// Draws from all tokens, in the order of their ids.
  private func drawFromAll(
    _ logits: UnsafeMutablePointer<Float>, _ largest: Float
  ) -> Int32? {
    let inverse = 1 / options.temperature
    var total = 0.0
    for i in 0..<count {
      logits[i] = vdsq_expf((logits[i] - largest) * inverse)
      total += Double(logits[i])
    }
    var rest = random.nextUnit() * total
    var last: Int32?
    for i in 0..<count where logits[i] > 0 {
      last = Int32(i)
      rest -= Double(logits[i])
      if rest < 0 { break }
    }
    return last
  }

  /// Finds the tokens to choose from, likeliest first. Their weights are relative to the likeliest.
  private func select(_ logits: UnsafeMutablePointer<Float>, _ largest: Float) {
    let inverse = 1 / options.temperature
    let limit = options.topK > 0 ? min(options.topK, count) : count
    // Top-p needs the sum over what top-k leaves.
    var total: Double?
    if options.topP < 1, options.topK == 0 {
      var sum = 0.0
      for i in 0..<count { sum += Double(vdsq_expf((logits[i] - largest) * inverse)) }
      total = sum
    }
    var wanted = min(limit, options.topK > 0 ? limit : Self.first)
    while true {
      find(wanted, logits, largest, inverse)
      if cut(total) || wanted >= limit { return }
      wanted = min(limit, 8 * wanted)
    }
  }

  /// The tokens of the largest logits, likeliest first.
  private func find(
    _ wanted: Int, _ logits: UnsafeMutablePointer<Float>, _ largest: Float, _ inverse: Float
  ) {
    var best = TopK(capacity: wanted, scores: scores, ids: ids)
    for i in 0..<count where logits[i] > best.threshold { best.insert(logits[i], Int32(i)) }
    candidates.removeAll(keepingCapacity: true)
    best.drain { score, id in
      candidates.append((id, vdsq_expf((score - largest) * inverse)))
    }
  }

  /// Leaves out what top-p and min-p leave out.
  ///
  /// - Parameter total: the sum of the weights of all tokens; nil for that of the candidates.
  /// - Returns: whether further tokens would be left out too.
  private func cut(_ total: Double?) -> Bool {
    var kept = candidates.count
    if options.topP < 1 {
      var sum = 0.0
      for candidate in candidates { sum += Double(candidate.weight) }
      let share = Double(options.topP) * (total ?? sum)
      var mass = 0.0
      for (index, candidate) in candidates.enumerated() {
        // A token stays if those before it have less than the share.
        if index > 0, mass >= share {
          kept = index
          break
        }
        mass += Double(candidate.weight)
      }
    }
    if options.minP > 0 {
      for index in 1..<max(1, kept) where candidates[index].weight < options.minP {
        kept = index
        break
      }
    }
    // Nothing is left out of what has no probability.
    guard kept < candidates.count else { return false }
    candidates.removeLast(candidates.count - kept)
    return true
  }
}
