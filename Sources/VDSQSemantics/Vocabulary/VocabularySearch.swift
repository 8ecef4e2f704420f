package import VDSQInference
package import VDSQKernels

/// Finds the vocabulary rows with the highest cosines to a state: the top of its disentangled
/// logits (docs/vocabulary-semantics.md).
///
/// The search is exact over all int8 rows, or approximate: a first pass over rows with two bits per
/// dimension finds candidates, and only those are compared in int8. Workers take shares of the rows
/// and meet at one barrier. All memory is allocated in the initializer.
package final class VocabularySearch: SharedWork {
  /// A row among those closest to a state.
  package struct Result: Sendable, Equatable {
    /// The token's id, which is its row.
    package let id: Int32
    /// The cosine of the row to the state, up to int8 rounding.
    package let cosine: Float
  }

  /// The int8 rows that decide the result.
  package let rows: Int8Rows
  /// The rows of two bits of the first pass; nil for an exact search.
  package let coarse: CoarseRows?
  /// The maximum number of results of a search.
  package let capacity: Int
  /// The number of candidates of the first pass.
  package let candidates: Int
  private let kernels: KernelTable
  private let threads: ThreadPool
  private let rotation: CoarseRotation?
  // The input of a search.
  private var query: Int8Query
  private var coarseQuery: CoarseQuery?
  // Buffers: the query in bytes, rotated, and as tables; and the results and candidates of each
  // worker.
  private let bytes: UnsafeMutablePointer<Int8>
  private let rotated: UnsafeMutablePointer<Float>
  private let tables: UnsafeMutablePointer<UInt8>
  private let best: UnsafeMutablePointer<TopK>
  private let found: UnsafeMutablePointer<Candidates>
  private let scores: UnsafeMutablePointer<Float>
  private let ids: UnsafeMutablePointer<Int32>

  /// Below this many bytes of rows, waking a second thread takes longer than it saves.
  private static let smallestShare = 2 << 20

  /// - Parameters:
  ///   - capacity: the maximum number of results of a search.
  ///   - candidates: the number of candidates of the first pass. Nil means one in 150 rows, but at
  ///     least twenty per result.
  package init(
    rows: Int8Rows, coarse: CoarseRows?, kernels: KernelTable, threads: ThreadPool, capacity: Int,
    candidates: Int? = nil
  ) {
    self.rows = rows
    self.coarse = coarse
    self.kernels = kernels
    self.threads = threads
    self.capacity = max(1, min(capacity, rows.rows))
    self.candidates = min(rows.rows, candidates ?? max(20 * self.capacity, rows.rows / 150))
    rotation = coarse == nil ? nil : CoarseRotation(columns: rows.columns)
    bytes = .allocate(capacity: Int8Query.paddedColumns(rows.columns))
    rotated = .allocate(capacity: 2 * rows.columns)
    tables = .allocate(capacity: CoarseRows.rowBytes(rows.columns) * 32)
    best = .allocate(capacity: threads.count)
    found = .allocate(capacity: threads.count)
    let room = self.capacity + Candidates.capacity(self.candidates)
    scores = .allocate(capacity: room * threads.count)
    ids = .allocate(capacity: room * threads.count)
    for worker in 0..<threads.count {
      let (s, i) = (scores + worker * room, ids + worker * room)
      (best + worker).initialize(to: TopK(capacity: self.capacity, scores: s, ids: i))
      (found + worker).initialize(
        to: Candidates(
          wanted: self.candidates, scores: s + self.capacity, ids: i + self.capacity))
    }
    query = Int8Query(values: bytes, sum: 0, reciprocalNorm: 0)
    super.init()
  }

  deinit {
    bytes.deallocate()
    rotated.deallocate()
    tables.deallocate()
    best.deallocate()
    found.deallocate()
    scores.deallocate()
    ids.deallocate()
  }

  /// Finds the `capacity` rows with the highest cosines to a state, best first. Among equal ones
  /// the lower id comes first.
  ///
  /// - Parameters:
  ///   - state: as many floats as rows have columns.
  ///   - approximate: whether to compare candidates only, which needs coarse rows.
  ///   - body: called with each result.
  package func search(
    _ state: UnsafePointer<Float>, approximate: Bool = false, _ body: (Result) -> Void
  ) {
    query = kernels.int8Query(state, rows.columns, bytes)
    coarseQuery = nil
    if approximate, let rotation {
      for i in 0..<rows.columns { rotated[i] = state[i] }
      rotation.apply(rotated, rotated + rows.columns)
      coarseQuery = kernels.coarseQuery(rotated, rows.columns, tables)
    }
    let work = rows.rows * rows.columns / (coarseQuery == nil ? 1 : 4)
    let width = max(1, min(threads.count, work / Self.smallestShare))
    for worker in 0..<width { best[worker].removeAll() }
    threads.together(width, self)
    for worker in 1..<max(1, width) { best[0].insert(contentsOf: best[worker]) }
    best[0].drain { body(Result(id: $1, cosine: $0)) }
  }

  /// One worker's share of the rows.
  package override func run(_ worker: ThreadPool.Worker) {
    if let coarseQuery, let coarse {
      let share = worker.share(of: coarse.blocks)
      let wanted = (candidates + worker.count - 1) / worker.count
      scan(share, coarseQuery, coarse, wanted, &found[worker.index])
      kernels.cosineTopKOf(
        query, rows, found[worker.index].ids, found[worker.index].count, &best[worker.index])
    } else {
      kernels.cosineTopK(
        query, rows, worker.share(of: rows.rows, unit: 16), &best[worker.index])
    }
  }

  /// The number of blocks that are sampled to estimate the threshold of candidates.
  private static let sampledBlocks = 8

  /// Collects about `wanted` candidates. If there are many blocks, a sample of them gives the
  /// threshold first, so that few other rows are collected.
  private func scan(
    _ blocks: Range<Int>, _ query: CoarseQuery, _ coarse: CoarseRows, _ wanted: Int,
    _ found: inout Candidates
  ) {
    found.removeAll()
    let sampled = Self.sampledBlocks
    if blocks.count > 4 * sampled {
      for i in 0..<sampled {
        let block = blocks.lowerBound + blocks.count * i / sampled
        kernels.coarseScan(query, coarse, block..<block + 1, &found)
      }
      // The sample's share of the candidates, and a few more.
      let share = wanted * sampled / blocks.count + 2
      found.removeAll(threshold: found.score(rank: share))
    }
    kernels.coarseScan(query, coarse, blocks, &found)
  }
}
