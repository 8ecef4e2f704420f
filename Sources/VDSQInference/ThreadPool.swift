import CShims

/// Threads that share one piece of work and sleep in between.
///
/// The calling thread is one of them. The others are started when first needed, so small work
/// starts none. A pool is not reentrant, and only one thread may use it at a time.
public final class ThreadPool: @unchecked Sendable {
  /// One of the threads that run a body together.
  public struct Worker {
    /// From 0, the calling thread, to `count - 1`.
    package let index: Int
    /// The number of workers of this run, at most that of the pool.
    package let count: Int
    // Not retained: a worker that slept with a reference would keep the pool, and itself, for ever.
    private let pool: Unmanaged<ThreadPool>

    fileprivate init(index: Int, count: Int, pool: ThreadPool) {
      self.index = index
      self.count = count
      self.pool = Unmanaged.passUnretained(pool)
    }

    /// A barrier: waits until all workers arrive. What each did before is then visible to all.
    package func barrier() {
      if count > 1 { pool._withUnsafeGuaranteedRef { $0.meet(count) } }
    }

    /// The worker's part of `items`, split at multiples of `unit`.
    ///
    /// - Parameter workers: how many workers share the items, from the first on; nil for all. The
    ///   others get none.
    package func share(of items: Int, unit: Int = 1, among workers: Int? = nil) -> Range<Int> {
      Self.share(of: items, unit: unit, index: index, among: workers ?? count)
    }

    /// The part of the worker `index` of `count`.
    package static func share(
      of items: Int, unit: Int, index: Int, among count: Int
    ) -> Range<Int> {
      guard index < count else { return items..<items }
      let units = (items + unit - 1) / unit
      let first = min(units * index / count * unit, items)
      return first..<min(units * (index + 1) / count * unit, items)
    }
  }

  /// The maximum number of threads, the caller included.
  package let count: Int
  private let monitor = UnsafeMutablePointer<vdsq_monitor>.allocate(capacity: 1)
  private var handles: [UInt] = []
  // Guarded by the monitor.
  private var job: Unmanaged<SharedWork>?
  private var width = 0
  private var generation = 0
  private var stopped = false
  private var started = 0

  /// - Parameter count: the number of threads, the caller included; at least 1. If the system
  ///   provides fewer, those do the work.
  package init(count: Int) {
    self.count = max(1, count)
    vdsq_monitor_init(monitor)
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

  /// Runs `work` on `width` threads, at most `count`, and returns when all are done.
  package func together(_ width: Int, _ work: SharedWork) {
    let width = start(min(width, count))
    if width == 1 { return work.run(Worker(index: 0, count: 1, pool: self)) }
    vdsq_lock(monitor)
    // The caller keeps the work alive until all workers are done.
    job = Unmanaged.passUnretained(work)
    self.width = width
    generation += 1
    vdsq_announce_work(monitor)
    vdsq_unlock(monitor)
    work.run(Worker(index: 0, count: width, pool: self))
    meet(width)
  }

  /// Starts threads until there are `width`, if the system provides them.
  ///
  /// - Returns: the number of available threads.
  private func start(_ width: Int) -> Int {
    while handles.count < width - 1 {
      var handle: UInt = 0
      // The pool outlives its threads, because deinit joins them. They hold no reference to it.
      let this = Unmanaged.passUnretained(self).toOpaque()
      let ok = vdsq_start_thread(
        &handle,
        { pointer in
          Unmanaged<ThreadPool>.fromOpaque(pointer!)._withUnsafeGuaranteedRef { $0.serve() }
          return nil
        }, this)
      if !ok { break }
      handles.append(handle)
    }
    return max(1, min(width, handles.count + 1))
  }

  /// The main function of a worker.
  private func serve() {
    vdsq_lock(monitor)
    started += 1
    let index = started
    var seen = 0
    while true {
      while !stopped && generation == seen { vdsq_wait_for_work(monitor) }
      if stopped { break }
      seen = generation
      guard index < width, let job else { continue }
      let width = width
      vdsq_unlock(monitor)
      job._withUnsafeGuaranteedRef { $0.run(Worker(index: index, count: width, pool: self)) }
      meet(width)
      vdsq_lock(monitor)
    }
    vdsq_unlock(monitor)
  }

  /// The number of spins before a worker sleeps. Spinning lasts longer than the shares of a layer
  /// differ.
  private static let looks = 10_000

  /// Returns when `width` threads have called it. Nobody spins after the work, because the last
  /// barrier ends it.
  private func meet(_ width: Int) {
    let phase = vdsq_atomic_load(&monitor.pointee.phase)
    if vdsq_atomic_add(&monitor.pointee.arrived, 1) == width {
      vdsq_atomic_store(&monitor.pointee.arrived, 0)
      vdsq_lock(monitor)
      vdsq_atomic_store(&monitor.pointee.phase, phase &+ 1)
      vdsq_announce_done(monitor)
      vdsq_unlock(monitor)
      return
    }
    for _ in 0..<Self.looks {
      if vdsq_atomic_load(&monitor.pointee.phase) != phase { return }
      vdsq_relax()
    }
    vdsq_lock(monitor)
    while vdsq_atomic_load(&monitor.pointee.phase) == phase { vdsq_wait_until_done(monitor) }
    vdsq_unlock(monitor)
  }
}
