import VDSQInference
import VDSQKernels
import VDSQSemantics

extension KernelBench {
  /// The k best cosines of `batch` queries to `rows` int8 rows.
  func topK(rows: Int, columns: Int, batch: Int, k: Int = 10) -> KernelCase {
    let m = RowOperands(rows: rows, columns: columns, queries: batch, k: k, workers: pool.count)
    let kernels = kernels
    return KernelCase(
      batch == 1 ? "cosine-topk" : "cosine-topk-batch", rows: rows, columns: columns, batch: batch,
      bytes: m.values.count + rows * 4, operand: m.values,
      products: rows * columns * batch, arithmetic: .int8
    ) { worker in
      let range = worker.share(of: rows, unit: 16)
      m.withHeaps(worker.index) { heaps in
        if batch == 1 {
          kernels.cosineTopK(m.queries[0], m.matrix, range, &heaps[0])
        } else {
          kernels.cosineTopKBatch(m.queries, batch, m.matrix, range, heaps)
        }
      }
    }
  }

  /// The same through rows with two bits per dimension, including the preparation of the query.
  func coarseTopK(rows: Int, columns: Int, k: Int = 10) -> KernelCase {
    let m = RowOperands(rows: rows, columns: columns, queries: 1, k: k, workers: 1)
    let blocks = (rows + 63) / 64
    let codes = AlignedBytes(blocks * 64 * CoarseRows.rowBytes(columns))
    let scales = AlignedBytes(blocks * 256)
    codes.fill()
    let factors = scales.pointer.assumingMemoryBound(to: Float.self)
    for i in 0..<blocks * 64 { factors[i] = 1 }
    let x = AlignedBytes(columns * 4)
    x.fillFloats()
    // One search for each number of threads, because a search uses all of its threads.
    let searches = (1...pool.count).map { threads in
      VocabularySearch(
        rows: m.matrix,
        coarse: CoarseRows(codes: codes.pointer, scales: factors, rows: rows, columns: columns),
        kernels: kernels, threads: ThreadPool(count: threads), capacity: k)
    }
    return KernelCase(
      "coarse-topk", rows: rows, columns: columns, batch: 1,
      bytes: codes.count + rows * 4 + searches[0].candidates * columns, operand: codes,
      call: { _, threads in
        withExtendedLifetime((m, scales)) {
          searches[threads - 1].search(
            x.pointer.assumingMemoryBound(to: Float.self), approximate: true, { _ in })
        }
      })
  }

  /// A product of a matrix and a vector in floats, as for label anchors and heads in fp16 or fp32.
  func dotRows(half: Bool, rows: Int, columns: Int) -> KernelCase {
    let m = AlignedBytes(rows * columns * (half ? 2 : 4))
    if half {
      let halves = m.pointer.assumingMemoryBound(to: UInt16.self)
      for i in 0..<rows * columns { halves[i] = 0x3000 + UInt16(i * 7 % 1024) }
    } else {
      m.fillFloats()
    }
    let x = AlignedBytes(columns * 4), y = AlignedBytes(rows * 4)
    x.fillFloats()
    let kernels = kernels
    return KernelCase(
      half ? "gemv-fp16" : "gemv-fp32", rows: rows, columns: columns, batch: 1, bytes: m.count,
      operand: m, products: rows * columns
    ) { worker in
      let range = worker.share(of: rows)
      let input = UnsafePointer(x.pointer.assumingMemoryBound(to: Float.self))
      let output = y.pointer.assumingMemoryBound(to: Float.self) + range.lowerBound
      if half {
        kernels.dotHalfRows(
          input, m.pointer + range.lowerBound * columns * 2, range.count, columns, output)
      } else {
        let first = m.pointer.assumingMemoryBound(to: Float.self) + range.lowerBound * columns
        kernels.dotRows(input, first, range.count, columns, output)
      }
    }
  }
}

/// A matrix of int8 rows, queries, and buffers for the results of each worker.
private final class RowOperands {
  let values: AlignedBytes
  let matrix: Int8Rows
  let queries: UnsafeMutablePointer<Int8Query>
  private let norms: AlignedBytes
  private let queryValues: AlignedBytes
  private let results: AlignedBytes
  private let queryCount: Int
  private let k: Int

  init(rows: Int, columns: Int, queries count: Int, k: Int, workers: Int) {
    values = AlignedBytes(rows * columns)
    values.fill()
    norms = AlignedBytes(rows * 4)
    let reciprocals = norms.pointer.assumingMemoryBound(to: Float.self)
    for i in 0..<rows { reciprocals[i] = 1 }
    matrix = Int8Rows(
      values: values.pointer.assumingMemoryBound(to: Int8.self), rows: rows, columns: columns,
      reciprocalNorms: reciprocals)
    let padded = Int8Query.paddedColumns(columns)
    queryValues = AlignedBytes(count * padded)
    let x = AlignedBytes(count * columns * 4)
    x.fillFloats()
    queries = .allocate(capacity: count)
    for i in 0..<count {
      queries[i] = Int8Query(
        quantizing: x.pointer.assumingMemoryBound(to: Float.self) + i * columns, columns: columns,
        into: queryValues.pointer.assumingMemoryBound(to: Int8.self) + i * padded)
    }
    results = AlignedBytes(workers * count * k * 8)
    queryCount = count
    self.k = k
  }

  deinit { queries.deallocate() }

  /// Calls `body` with an empty heap for each query.
  func withHeaps(_ worker: Int, _ body: (UnsafeMutablePointer<TopK>) -> Void) {
    withUnsafeTemporaryAllocation(of: TopK.self, capacity: queryCount) { heaps in
      for i in 0..<queryCount {
        let own = results.pointer + (worker * queryCount + i) * k * 8
        heaps.initializeElement(
          at: i,
          to: TopK(
            capacity: k, scores: own.assumingMemoryBound(to: Float.self),
            ids: (own + k * 4).assumingMemoryBound(to: Int32.self)))
      }
      body(heaps.baseAddress!)
      heaps.deinitialize()
    }
  }
}
