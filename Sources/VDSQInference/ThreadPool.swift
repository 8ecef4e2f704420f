import CShims

/// Threads that share the items of one piece of work, and sleep in between.
///
/// The calling thread works too, so a pool of one starts no thread. Not reentrant, and to be used
/// from one thread at a time.
public final class ThreadPool: @unchecked Sendable {
  public let count: Int
  private let monitor = UnsafeMutablePointer<vdsq_monitor>.allocate(capacity: 1)
  private var handles: [UInt] = []
  // Guarded by the monitor.
  private var job: ((_ item: Int, _ worker: Int) -> Void)?
  private var items = 0
  private var next = 0
  private var busy = 0
  private var generation = 0
  private var stopped = false
  private var started = 0

  /// - Parameter count: how many threads work, the caller among them; at least 1. Where the system
  ///   gives fewer, those that there are do the work.
  public init(count: Int) {
    self.count = max(1, count)
    vdsq_monitor_init(monitor)
    for _ in 1..<max(2, count) where count > 1 {
      var handle: UInt = 0
      // The pool outlives its threads: deinit joins them.
      let this = Unmanaged.passUnretained(self).toOpaque()
      let ok = vdsq_start_thread(
        &handle,
        { pointer in
          Unmanaged<ThreadPool>.fromOpaque(pointer!).takeUnretainedValue().serve()
          return nil
        }, this)
      if ok { handles.append(handle) }
    }
  }

  deinit {
    vdsq_lock(monitor)
    stopped = true
    vdsq_announce_work(monitor)
    vdsq_unlock(monitor)
    for handle in handles { vdsq_join_thread(handle) }
    vdsq_monitor_destroy(monitor)
    monitor.deallocate()
  }

  /// Calls `body` with each item from 0 to `items - 1`, on any thread, and returns when all are
  /// done. `worker` is below `count` and no two calls at a time have the same.
  public func run(_ items: Int, _ body: (_ item: Int, _ worker: Int) -> Void) {
    if handles.isEmpty || items < 2 {
      for item in 0..<items { body(item, 0) }
      return
    }
    withoutActuallyEscaping(body) { body in
      vdsq_lock(monitor)
      job = body
      self.items = items
      next = 0
      generation += 1
      vdsq_announce_work(monitor)
      work(worker: 0)
      while busy > 0 { vdsq_wait_until_done(monitor) }
      job = nil
      vdsq_unlock(monitor)
    }
  }

  /// A worker's life.
  private func serve() {
    vdsq_lock(monitor)
    started += 1
    let worker = started
    var seen = 0
    while true {
      while !stopped && (generation == seen || job == nil) { vdsq_wait_for_work(monitor) }
      if stopped { break }
      seen = generation
      work(worker: worker)
    }
    vdsq_unlock(monitor)
  }

  /// Takes items until none is left; called and returning with the lock held.
  private func work(worker: Int) {
    guard let body = job else { return }
    busy += 1
    while next < items {
      let item = next
      next += 1
      vdsq_unlock(monitor)
      body(item, worker)
      vdsq_lock(monitor)
    }
    busy -= 1
    if busy == 0 { vdsq_announce_done(monitor) }
  }
}
