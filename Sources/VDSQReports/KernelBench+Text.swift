import VDSQFormat
import VDSQMeasurement

extension KernelBench {
  /// The header of the results: the limits of the machine, and the names of the columns.
  package var heading: String {
    "\(kernels.name): \(fixed(limits.int8Products / 1e9, 0)) GMAC/s of int8 and "
      + "\(fixed(limits.floatProducts / 1e9, 0)) of float32 on one thread at most\n\n"
      + padded("kernel", 18)
      + ["rows", "cols", "batch", "threads", "ms", "GB/s", "GMAC/s", "limit"]
      .map { rightAligned($0, 9) }.joined()
  }
}

extension KernelResult {
  /// A line for people.
  package var text: String {
    let numbers = [
      "\(rows)", "\(columns)", "\(batch)", "\(threads)", significant(milliseconds),
      fixed(gigabytesPerSecond, 1), fixed(gigaproductsPerSecond, 1),
      fixed(shareOfLimit * 100, 0) + "%",
    ]
    return padded(kernel, 18) + numbers.map { rightAligned($0, 9) }.joined()
  }
}

extension ForwardBench {
  /// A line for people.
  package var text: String {
    "\(batch) x \(counted(tokens, "token")), \(counted(threads, "thread")): "
      + "\(significant(milliseconds)) ms, \(fixed(shareOfPeak * 100, 0))% of the peak "
      + "multiplication rate"
  }
}
