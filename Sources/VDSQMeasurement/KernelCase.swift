import VDSQInference
public import VDSQKernels

/// One kernel at one shape, ready to run on several threads.
public struct KernelCase {
  /// The kernel's name on the command line and in reports.
  public let kernel: String
  public let rows: Int
  public let columns: Int
  public let batch: Int
  /// Bytes that must come from memory or a cache at least.
  let bytes: Int
  /// Multiply-adds, of int8 or of floats.
  let products: Int
  let integer: Bool
  /// One worker's share of one call.
  let body: (ThreadPool.Worker) -> Void

  init(
    _ kernel: String, rows: Int, columns: Int, batch: Int, bytes: Int, products: Int = 0,
    integer: Bool = false, body: @escaping (ThreadPool.Worker) -> Void
  ) {
    self.kernel = kernel
    self.rows = rows
    self.columns = columns
    self.batch = batch
    self.bytes = bytes
    self.products = products
    self.integer = integer
    self.body = body
  }
}

/// What a measurement found.
public struct KernelResult {
  public let kernel: String
  public let isa: String
  public let rows: Int
  public let columns: Int
  public let batch: Int
  public let threads: Int
  /// The median of one call.
  public let milliseconds: Double
  public let gigabytesPerSecond: Double
  /// 10^9 multiply-adds a second; 0 for kernels that only move numbers.
  public let gigaproductsPerSecond: Double
  /// The time that the machine would take at its limit, over the time taken.
  public let shareOfLimit: Double
}

/// Measures kernels of one instruction set.
public final class KernelBench {
  public let kernels: KernelTable
  private let pool: ThreadPool
  public let limits: MachineLimits
  private let seconds: Double

  /// - Parameter seconds: how long to measure each case.
  public init(kernels: KernelTable, threads: Int, seconds: Double) {
    self.kernels = kernels
    self.seconds = seconds
    pool = ThreadPool(count: threads)
    limits = MachineLimits(kernels: kernels, threads: pool)
  }

  public func measure(_ c: KernelCase, threads: Int) -> KernelResult {
    let work = ParallelWork(c.body)
    let time = Timing.median(seconds: seconds) { pool.together(threads, work) }
    let peak = (c.integer ? limits.int8Products : limits.floatProducts) * Double(threads)
    let memory = Double(c.bytes) / limits.bandwidth(bytes: c.bytes, threads: threads)
    let limit = max(memory, Double(c.products) / peak)
    return KernelResult(
      kernel: c.kernel, isa: "\(kernels.name)", rows: c.rows, columns: c.columns, batch: c.batch,
      threads: threads, milliseconds: time * 1e3,
      gigabytesPerSecond: Double(c.bytes) / time / 1e9,
      gigaproductsPerSecond: Double(c.products) / time / 1e9, shareOfLimit: limit / time)
  }
}
