import CShims
import VDSQInference
public import VDSQKernels

/// The logits of states over a whole vocabulary: disentangled ones, which are cosines to bases (design
/// section 2.2), or the LM head's own, with probabilities, and without an array as long as the vocabulary.
///
/// Workers take shares of the rows and meet once. All memory is taken when it is made.
public final class VocabularyLogits: SharedWork {
  public struct Result: Sendable, Equatable {
    public let id: Int32
    /// The cosine, or the head's logit.
    public let value: Float
    /// `softmax(values / temperature)` over the vocabulary.
    public let probability: Float
  }

  public let rows: VocabularyRows
  /// The most results that a look-up gives.
  public let capacity: Int
  private let kernels: KernelTable
  private let threads: ThreadPool
  // What a look-up is over.
  private var query: VocabularyRows.Query
  private var temperature: Float = 1
  private let bytes: UnsafeMutablePointer<Int8>
  // Each worker's: values of a block, results, the largest value and the sum of exponentials.
  private let values: UnsafeMutablePointer<Float>
  private let best: UnsafeMutablePointer<TopK>
  private let scores: UnsafeMutablePointer<Float>
  private let ids: UnsafeMutablePointer<Int32>
  private let sums: UnsafeMutablePointer<Sum>
  /// A row's rounding errors, and the row.
  private let fine: UnsafeMutablePointer<UInt8>
  private let row: UnsafeMutablePointer<Float>

  /// Exponentials relative to the largest value so far.
  private struct Sum {
    var largest = -Float.infinity
    var total: Float = 0

    mutating func raise(to value: Float, _ temperature: Float) {
      guard value > largest else { return }
      if total > 0 { total *= vdsq_expf((largest - value) / temperature) }
      largest = value
    }
  }

  /// Rows whose values are in memory at a time.
  private static let block = 1024
  /// Below this many bytes of rows a second thread takes longer to wake than it saves.
  private static let smallestShare = 2 << 20

  /// - Parameter capacity: the most results that a look-up is to give.
  public init(rows: VocabularyRows, kernels: KernelTable, threads: ThreadPool, capacity: Int) {
    self.rows = rows
    self.kernels = kernels
    self.threads = threads
    self.capacity = max(1, min(capacity, rows.count))
    // Candidates for the first places: int8 rows may order near ties wrongly.
    let candidates = rows.isRefined ? min(4 * self.capacity + 24, rows.count) : self.capacity
    fine = .allocate(capacity: max(1, rows.scratchBytes))
    row = .allocate(capacity: rows.dimensions)
    bytes = .allocate(capacity: Int8Query.paddedColumns(rows.dimensions))
    values = .allocate(capacity: Self.block * threads.count)
    best = .allocate(capacity: threads.count)
    scores = .allocate(capacity: candidates * threads.count)
    ids = .allocate(capacity: candidates * threads.count)
    sums = .allocate(capacity: threads.count)
    for worker in 0..<threads.count {
      let offset = worker * candidates
      (best + worker).initialize(
        to: TopK(capacity: candidates, scores: scores + offset, ids: ids + offset))
      (sums + worker).initialize(to: Sum())
    }
    query = VocabularyRows.Query(
      state: UnsafePointer(values), int8: Int8Query(values: bytes, sum: 0, reciprocalNorm: 0),
      factor: 0)
    super.init()
  }

  deinit {
    bytes.deallocate()
    values.deallocate()
    best.deallocate()
    scores.deallocate()
    ids.deallocate()
    sums.deallocate()
    fine.deallocate()
    row.deallocate()
  }

  /// Finds the `capacity` highest logits of a state, best first, and of equal ones the lower id.
  ///
  /// - Parameters:
  ///   - state: `rows.dimensions` floats.
  ///   - temperature: above 0.
  ///   - body: called with each result.
  public func find(
    _ state: UnsafePointer<Float>, temperature: Float, _ body: (Result) -> Void
  ) {
    let total = scan(state, temperature)
    func give(_ value: Float, _ id: Int32) {
      let share = vdsq_expf((value - total.largest) / temperature) / total.total
      body(Result(id: id, value: value, probability: min(share, 1)))
    }
    guard rows.isRefined else { return best[0].drain(give) }
    var found: [(value: Float, id: Int32)] = []
    best[0].drain { found.append(($0, $1)) }
    for i in found.indices { found[i].value = cosine(state, Int(found[i].id)) }
    found.sort { $0.value > $1.value || ($0.value == $1.value && $0.id < $1.id) }
    for (value, id) in found.prefix(capacity) { give(value, id) }
  }

  /// The cosine of a state to a row, in floats.
  public func cosine(_ state: UnsafePointer<Float>, _ id: Int) -> Float {
    rows.unitRow(id, kernels, fine, into: row)
    var product: Float = 0
    kernels.dotRows(state, row, 1, rows.dimensions, &product)
    let norm = length(state, rows.dimensions)
    return norm > 0 ? product / norm : 0
  }

  private func scan(_ state: UnsafePointer<Float>, _ temperature: Float) -> Sum {
    query = rows.query(state, kernels, bytes)
    self.temperature = temperature
    let width = max(
      1, min(threads.count, rows.count * rows.dimensions / Self.smallestShare))
    for worker in 0..<width {
      best[worker].removeAll()
      sums[worker] = Sum()
    }
    threads.together(width, self)
    var total = sums[0]
    for worker in 1..<max(1, width) {
      best[0].insert(contentsOf: best[worker])
      var other = sums[worker]
      total.raise(to: other.largest, temperature)
      other.raise(to: total.largest, temperature)
      total.total += other.total
    }
    return total
  }

  /// One worker's share of the rows.
  public override func run(_ worker: ThreadPool.Worker) {
    let own = values + worker.index * Self.block
    forEachBlock(worker.share(of: rows.count, unit: 16)) { range in
      rows.products(query, range, kernels, into: own)
      var largest = -Float.infinity
      for i in 0..<range.count {
        largest = max(largest, own[i])
        if own[i] > best[worker.index].threshold {
          best[worker.index].insert(own[i], Int32(range.lowerBound + i))
        }
      }
      sums[worker.index].raise(to: largest, temperature)
      // Shifted and scaled here so that the sum is a row of plain exponentials.
      var total: Float = 0
      for i in 0..<range.count {
        total += vdsq_expf((own[i] - sums[worker.index].largest) / temperature)
      }
      sums[worker.index].total += total
    }
  }

  private func forEachBlock(_ range: Range<Int>, _ body: (Range<Int>) -> Void) {
    var first = range.lowerBound
    while first < range.upperBound {
      let end = min(first + Self.block, range.upperBound)
      body(first..<end)
      first = end
    }
  }

  /// The gradient of `-log softmax(cosines / temperature)[target]` with respect to the state, over the
  /// whole vocabulary, in closed form (design section 2.3). States and bases are compared in floats here,
  /// so that it is the gradient of a smooth function.
  ///
  /// - Parameter gradient: receives `rows.dimensions` floats.
  /// - Returns: the loss.
  public func gradient(
    state: UnsafePointer<Float>, target: Int32, temperature: Float,
    into gradient: UnsafeMutablePointer<Float>
  ) -> Float {
    let d = rows.dimensions
    let norm = length(state, d)
    for j in 0..<d { gradient[j] = 0 }
    guard norm > 0 else { return log(Float(rows.count)) }
    var targetCosine: Float = 0
    var sum = Sum()
    // Sums relative to the largest so far; scaled down when a larger one comes.
    var alongState: Float = 0
    for v in 0..<rows.count {
      rows.unitRow(v, kernels, fine, into: row)
      var cosine: Float = 0
      kernels.dotRows(state, row, 1, d, &cosine)
      cosine /= norm
      if cosine > sum.largest {
        let shrink = sum.total > 0 ? vdsq_expf((sum.largest - cosine) / temperature) : 0
        for j in 0..<d { gradient[j] *= shrink }
        alongState *= shrink
        sum.raise(to: cosine, temperature)
      }
      let weight = vdsq_expf((cosine - sum.largest) / temperature)
      sum.total += weight
      alongState += weight * cosine
      kernels.addScaled(weight, row, d, gradient)
      if v == Int(target) { targetCosine = cosine }
    }
    for j in 0..<d { gradient[j] /= sum.total }
    alongState /= sum.total
    rows.unitRow(Int(target), kernels, fine, into: row)
    kernels.addScaled(-1, row, d, gradient)
    alongState -= targetCosine
    let scale = 1 / (temperature * norm)
    for j in 0..<d { gradient[j] = (gradient[j] - alongState * state[j] / norm) * scale }
    return log(sum.total) - (targetCosine - sum.largest) / temperature
  }

  private func log(_ x: Float) -> Float { vdsq_logf(x) }
}
