import VDSQInference
import VDSQKernels

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
