import VDSQInference
package import VDSQKernels

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
