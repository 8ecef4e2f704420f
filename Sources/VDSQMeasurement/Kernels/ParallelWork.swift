import VDSQInference
import VDSQKernels

/// A closure as work for a thread pool.
final class ParallelWork: SharedWork {
  /// Consumes a value that must not be optimised away.
  nonisolated(unsafe) static var sink = 0
  private let body: (ThreadPool.Worker) -> Void

  init(_ body: @escaping (ThreadPool.Worker) -> Void) { self.body = body }

  override func run(_ worker: ThreadPool.Worker) { body(worker) }
}
