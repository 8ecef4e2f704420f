import CShims

/// Work that threads do together, each its own share.
///
/// A base class rather than a closure, so that starting the work allocates nothing.
open class SharedWork {
  /// Work without a state of its own. A subclass adds the input and the output.
  package init() {}

  /// Runs the share of one worker.
  open func run(_ worker: ThreadPool.Worker) {}
}
