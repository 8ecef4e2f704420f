import VDSQInference
import VDSQKernels

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
