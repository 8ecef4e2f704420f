import CShims

/// A mutual exclusion lock on which threads can wait for each other.
final class Lock: @unchecked Sendable {
  private let monitor = UnsafeMutablePointer<vdsq_monitor>.allocate(capacity: 1)

  init() { vdsq_monitor_init(monitor) }

  deinit {
    vdsq_monitor_destroy(monitor)
    monitor.deallocate()
  }

  func lock() { vdsq_lock(monitor) }

  func unlock() { vdsq_unlock(monitor) }

  /// Releases the lock until a signal, then holds it again.
  func wait() { vdsq_wait_until_done(monitor) }

  /// Wakes everybody who waits.
  func signal() { vdsq_announce_done(monitor) }
}
