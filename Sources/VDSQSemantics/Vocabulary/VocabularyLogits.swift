import CShims
public import VDSQInference
package import VDSQKernels

/// The logits of states over a whole vocabulary with probabilities, without an array of the
/// vocabulary's length. They are disentangled logits, which are cosines to bases, or those of the
/// LM head (docs/vocabulary-semantics.md).
///
/// Workers take shares of the rows and meet at one barrier. All memory is allocated in the
/// initializer.
public final class VocabularyLogits: SharedWork {
  /// A token among those with the largest values.
  public struct Result: Sendable, Equatable {
    /// The token's id, which is its row.
    public let id: Int32
    /// The cosine, or the logit of the head.
    public let value: Float
    /// `softmax(values / temperature)` over the vocabulary.
    public let probability: Float
  }

  /// The bases, or the rows of the LM head.
  public let rows: VocabularyRows
  /// The maximum number of results of a lookup.
  public let capacity: Int
  private let kernels: KernelTable
  private let threads: ThreadPool
  /// Whether the pages of rows are released behind each pass over them.
  private let releasesRows: Bool
  // The input of a lookup.
  private let queries: VocabularyQueries
  private var temperature: Float = 1
  /// The destination of the values of all rows, `[queryCount, rows.count]`; nil if they are not
  /// kept.
  private var kept: UnsafeMutablePointer<Float>?
  // For each worker, the values of a block for all queries; and for each query its results, largest
  // value and sum of exponentials.
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

    /// Adds a sum of exponentials relative to another largest value.
    mutating func add(_ other: Float, _ sum: Float, _ temperature: Float) {
      raise(to: other, temperature)
      total += sum * vdsq_expf((other - largest) / temperature)
    }
  }

  /// The number of states that share one pass over the rows.
  private static let together = 16
  /// The number of rows in a block. Blocks are small enough to stay in a cache for all queries.
  private static let block = 512
  /// Below this many bytes of rows, waking a second thread takes longer than it saves.
  private static let smallestShare = 2 << 20

  /// The bytes of rows that a thread keeps resident at the most while pages are released.
  ///
  /// - Parameter rowBytes: the bytes of a row.
  package static func residentBytes(rowBytes: Int) -> Int {
    // The system makes 64 KiB resident around a page that is touched.
    RowRelease.step + block * rowBytes + 64 << 10
  }

  /// A lookup that runs in the threads of an encoder. Unless the encoder's layers are resident, the
  /// pages of rows are released behind each pass over them.
  ///
  /// - Parameter capacity: the maximum number of results of a lookup.
  public convenience init(rows: VocabularyRows, encoder: TextEncoder, capacity: Int) {
    self.init(
      rows: rows, kernels: encoder.kernels, threads: encoder.threads, capacity: capacity,
      releasesRows: encoder.options.policy != .resident)
  }

  /// - Parameters:
  ///   - capacity: the maximum number of results of a lookup.
  ///   - releasesRows: whether the pages of rows are released behind each pass over them.
  package init(
    rows: VocabularyRows, kernels: KernelTable, threads: ThreadPool, capacity: Int,
    releasesRows: Bool = false
  ) {
    self.rows = rows
    self.releasesRows = releasesRows
    self.kernels = kernels
    self.threads = threads
    self.capacity = max(1, min(capacity, rows.count))
    // More candidates than results, because int8 rows may order near ties wrongly.
    let candidates = rows.isRefined ? min(4 * self.capacity + 24, rows.count) : self.capacity
    fine = .allocate(capacity: max(1, rows.scratchBytes))
    row = .allocate(capacity: rows.dimensions)
    queries = VocabularyQueries(capacity: Self.together, dimensions: rows.dimensions)
    let slots = Self.together * threads.count
    values = .allocate(capacity: Self.block * slots)
    best = .allocate(capacity: slots)
    scores = .allocate(capacity: candidates * slots)
    ids = .allocate(capacity: candidates * slots)
    sums = .allocate(capacity: slots)
    for slot in 0..<slots {
      let offset = slot * candidates
      (best + slot).initialize(
        to: TopK(capacity: candidates, scores: scores + offset, ids: ids + offset))
      (sums + slot).initialize(to: Sum())
    }
    super.init()
  }

  deinit {
    values.deallocate()
    best.deallocate()
    scores.deallocate()
    ids.deallocate()
    sums.deallocate()
    fine.deallocate()
    row.deallocate()
  }

  /// Finds the `capacity` highest logits of a state, best first. Among equal ones the lower id
  /// comes first.
  ///
  /// - Parameters:
  ///   - state: `rows.dimensions` floats.
  ///   - temperature: above 0.
  ///   - body: called with each result.
  public func find(
    _ state: UnsafePointer<Float>, temperature: Float, _ body: (Result) -> Void
  ) {
    find(state, count: 1, temperature: temperature) { _, result in body(result) }
  }

  /// The same for several states. Rows are read from memory once for every sixteen states.
  ///
  /// - Parameters:
  ///   - states: `[count, rows.dimensions]` floats.
  ///   - scores: receives the values of all rows, `[count, rows.count]`; nil if only the highest are
  ///     needed.
  ///   - body: called with each state's index and result, in order.
  public func find(
    _ states: UnsafePointer<Float>, count: Int, temperature: Float,
    scores: UnsafeMutablePointer<Float>? = nil, _ body: (_ index: Int, _ result: Result) -> Void
  ) {
    self.temperature = temperature
    defer { kept = nil }
    kept = scores
    scan(states, count) { first in
      for i in 0..<queries.count { give(i) { body(first + i, $0) } }
      kept = scores.map { $0 + (first + queries.count) * rows.count }
    }
  }

  /// The logarithm of the sum of exponentials over the vocabulary, of several states.
  ///
  /// - Parameters:
  ///   - states: `[count, rows.dimensions]` floats.
  ///   - out: a buffer of `count` floats.
  package func logPartition(
    _ states: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>
  ) {
    temperature = 1
    scan(states, count) { first in
      for i in 0..<queries.count { out[first + i] = sums[i].largest + vdsq_logf(sums[i].total) }
    }
  }

  /// The logarithms of the probabilities that the LM head gives tokens.
  ///
  /// - Parameters:
  ///   - states: `[count, rows.dimensions]` floats.
  ///   - ids: the token of each state, at least `count`.
  ///   - body: called with each state's index, the natural logarithm of its token's probability, and
  ///     whether no token is likelier, or equally likely with a lower id.
  package func score(
    _ states: UnsafePointer<Float>, count: Int, ids: ArraySlice<Int32>,
    _ body: (_ index: Int, _ logProbability: Double, _ isLikeliest: Bool) -> Void
  ) {
    temperature = 1
    scan(states, count) { first in
      for i in 0..<queries.count {
        let id = ids[ids.startIndex + first + i]
        let sum = sums[i]
        let relative = logit(queries.state(i), Int(id)) - sum.largest
        let result = Double(relative) - Double(log(sum.total))
        var likeliest: Int32?
        give(i) { if likeliest == nil { likeliest = $0.id } }
        // What is not a number stays so.
        body(first + i, result > 0 ? 0 : result, likeliest == id)
      }
    }
  }

  /// Scans the rows for some states at a time, and calls `body` with the index of their first.
  private func scan(_ states: UnsafePointer<Float>, _ count: Int, _ body: (Int) -> Void) {
    var first = 0
    while first < count {
      rows.set(
        queries, states + first * rows.dimensions, count: min(Self.together, count - first),
        kernels)
      scan()
      body(first)
      first += queries.count
    }
  }

  /// The results of a query, after a scan.
  private func give(_ query: Int, _ body: (Result) -> Void) {
    let total = sums[query]
    func give(_ value: Float, _ id: Int32) {
      let share = vdsq_expf((value - total.largest) / temperature) / total.total
      body(Result(id: id, value: value, probability: min(share, 1)))
    }
    guard rows.isRefined else { return best[query].drain(give) }
    let state = queries.state(query)
    var found: [(value: Float, id: Int32)] = []
    best[query].drain { found.append(($0, $1)) }
    for i in found.indices {
      let id = Int(found[i].id)
      found[i].value = rows.areBases ? cosine(state, id) : logit(state, id)
      if let kept { kept[query * rows.count + id] = found[i].value }
    }
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

  /// The logit of the LM head for a token, in floats.
  package func logit(_ state: UnsafePointer<Float>, _ id: Int) -> Float {
    rows.headRow(id, kernels, fine, into: row)
    var product: Float = 0
    kernels.dotRows(state, row, 1, rows.dimensions, &product)
    return rows.capped(product + (rows.bias?[id] ?? 0))
  }

  /// Looks up all queries, and merges the results of all workers into those of the first.
  private func scan() {
    // The width does not depend on the number of queries, because sums depend on the width.
    let work = rows.count * rows.dimensions
    let width = max(1, min(threads.count, work / Self.smallestShare))
    for slot in 0..<width * Self.together {
      best[slot].removeAll()
      sums[slot] = Sum()
    }
    threads.together(width, self)
    for worker in 1..<max(1, width) {
      for i in 0..<queries.count {
        let slot = worker * Self.together + i
        best[i].insert(contentsOf: best[slot])
        if sums[slot].total != 0 { sums[i].add(sums[slot].largest, sums[slot].total, temperature) }
      }
    }
  }

  /// One worker's share of the rows.
  public override func run(_ worker: ThreadPool.Worker) {
    let own = values + worker.index * Self.together * Self.block
    let share = worker.share(of: rows.count, unit: 16)
    var release = releasesRows ? rows.release(share) : nil
    forEachBlock(share) { range in
      rows.products(queries, range, kernels, into: own, stride: Self.block)
      for i in 0..<queries.count {
        add(own + i * Self.block, range, query: i, worker.index)
      }
      release?.advance(to: range.upperBound)
    }
  }

  /// Adds the values of a block of rows to the results of a query.
  private func add(
    _ own: UnsafePointer<Float>, _ range: Range<Int>, query: Int, _ worker: Int
  ) {
    let slot = worker * Self.together + query
    if let kept {
      (kept + query * rows.count + range.lowerBound).update(from: own, count: range.count)
    }
    let (largest, total) = kernels.exponentialSum(own, range.count, 1 / temperature)
    // Where a value is not a number, the largest is not known.
    if largest > best[slot].threshold || total.isNaN {
      for i in 0..<range.count where own[i] > best[slot].threshold {
        best[slot].insert(own[i], Int32(range.lowerBound + i))
      }
    }
    sums[slot].add(largest, total, temperature)
  }

  private func forEachBlock(_ range: Range<Int>, _ body: (Range<Int>) -> Void) {
    var first = range.lowerBound
    while first < range.upperBound {
      let end = min(first + Self.block, range.upperBound)
      body(first..<end)
      first = end
    }
  }

  /// The gradient of `-log softmax(cosines / temperature)[target]` with respect to the state, over
  /// the whole vocabulary, in closed form (docs/vocabulary-semantics.md, "Gradients"). States and
  /// bases are compared in floats, so that it is the gradient of a smooth function.
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
    // Sums relative to the largest cosine so far; they are rescaled when a larger one comes.
    var alongState: Float = 0
    var release = releasesRows ? rows.release(0..<rows.count) : nil
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
      release?.advance(to: v + 1)
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
