import VDSQInference

/// A closure as work for a thread pool.
final class ParallelBody: SharedWork {
  private let body: (ThreadPool.Worker) -> Void

  init(_ body: @escaping (ThreadPool.Worker) -> Void) { self.body = body }

  override func run(_ worker: ThreadPool.Worker) { body(worker) }
}
