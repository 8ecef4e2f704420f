import VDSQInference
package import VDSQKernels

/// One kernel at one shape, ready to run on several threads.
package struct KernelCase {
  /// The kernel's name on the command line and in reports.
  package let kernel: String
  /// Rows of the matrix: vocabulary, outputs of a linear layer, or tokens of a sequence.
  package let rows: Int
  /// Columns of the matrix: inputs of a linear layer, dimensions, or the size of a head.
  package let columns: Int
  /// The number of queries, activation rows or attention heads per call.
  package let batch: Int
  /// The minimum number of bytes to read from memory or a cache.
  let bytes: Int
  /// The memory that most of them are read from.
  let operand: AlignedBytes
  /// The number of multiply-adds, and their element type.
  let products: Int
  let arithmetic: Arithmetic
  /// Runs one call on a number of threads.
  let call: (_ pool: ThreadPool, _ threads: Int) -> Void

  /// - Parameter body: the share of one worker in one call.
  init(
    _ kernel: String, rows: Int, columns: Int, batch: Int, bytes: Int, operand: AlignedBytes,
    products: Int = 0, arithmetic: Arithmetic = .float, body: @escaping (ThreadPool.Worker) -> Void
  ) {
    let work = ParallelWork(body)
    self.init(
      kernel, rows: rows, columns: columns, batch: batch, bytes: bytes, operand: operand,
      products: products, arithmetic: arithmetic, call: { $0.together($1, work) })
  }

  /// - Parameter call: runs on its own workers.
  init(
    _ kernel: String, rows: Int, columns: Int, batch: Int, bytes: Int, operand: AlignedBytes,
    products: Int = 0, arithmetic: Arithmetic = .float, call: @escaping (ThreadPool, Int) -> Void
  ) {
    self.kernel = kernel
    self.rows = rows
    self.columns = columns
    self.batch = batch
    self.bytes = bytes
    self.operand = operand
    self.products = products
    self.arithmetic = arithmetic
    self.call = call
  }
}

/// The element type that a kernel multiplies.
enum Arithmetic {
  case int8, int16, float
}

extension MachineLimits {
  /// Multiply-adds per second.
  func products(_ arithmetic: Arithmetic) -> Double {
    switch arithmetic {
    case .int8: int8Products
    case .int16: int16Products
    case .float: floatProducts
    }
  }
}

/// The result of a measurement.
package struct KernelResult {
  /// The kernel's name on the command line.
  package let kernel: String
  /// The name of the instruction set, as in `KernelTable.name`.
  package let isa: String
  /// Rows of the matrix, as in `KernelCase`.
  package let rows: Int
  /// Columns of the matrix, as in `KernelCase`.
  package let columns: Int
  /// Queries, activation rows or attention heads per call.
  package let batch: Int
  /// The number of threads of each call.
  package let threads: Int
  /// The median of one call.
  package let milliseconds: Double
  /// 10^9 bytes per second: the least bytes that a call must read, divided by its time.
  package let gigabytesPerSecond: Double
  /// 10^9 multiply-adds per second; 0 for kernels that only move numbers.
  package let gigaproductsPerSecond: Double
  /// The time at the machine's limit divided by the measured time.
  package let shareOfLimit: Double
}

/// Measures the kernels of one instruction set.
package final class KernelBench {
  /// The kernels that are measured.
  package let kernels: KernelTable
  let pool: ThreadPool
  /// The peak multiply-add rates of the instruction set on one thread.
  package let limits: MachineLimits
  private let seconds: Double

  /// - Parameter seconds: the duration of each measurement.
  package init(kernels: KernelTable, threads: Int, seconds: Double) {
    self.kernels = kernels
    self.seconds = seconds
    pool = ThreadPool(count: threads)
    limits = MachineLimits(kernels: kernels)
  }

  /// Measures a kernel in turns with a plain read of its operand, which gives the memory limit.
  ///
  /// - Parameter threads: at most the number of threads of the bench.
  package func measure(_ c: KernelCase, threads: Int) -> KernelResult {
    let operand = c.operand
    let read = kernels.probes.read
    let reading = ParallelWork { worker in
      let share = worker.share(of: operand.count, unit: 256)
      if read(operand.pointer + share.lowerBound, share.count) == 77 { ParallelWork.sink += 1 }
    }
    // Measured in turns, because the speed of the machine changes over time.
    let (time, readTime) = Timing.medians(
      seconds: seconds, { c.call(self.pool, threads) },
      { self.pool.together(threads, reading) })
    let peak = limits.products(c.arithmetic) * Double(threads)
    let memory = readTime * Double(c.bytes) / Double(operand.count)
    let limit = max(memory, Double(c.products) / peak)
    return KernelResult(
      kernel: c.kernel, isa: "\(kernels.name)", rows: c.rows, columns: c.columns, batch: c.batch,
      threads: threads, milliseconds: time * 1e3,
      gigabytesPerSecond: Double(c.bytes) / time / 1e9,
      gigaproductsPerSecond: Double(c.products) / time / 1e9, shareOfLimit: limit / time)
  }
}

/// A closure as work for a thread pool.
final class ParallelWork: SharedWork {
  /// Consumes a value that must not be optimised away.
  nonisolated(unsafe) static var sink = 0
  private let body: (ThreadPool.Worker) -> Void

  init(_ body: @escaping (ThreadPool.Worker) -> Void) { self.body = body }

  override func run(_ worker: ThreadPool.Worker) { body(worker) }
}
