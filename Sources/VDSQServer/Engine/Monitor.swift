import Glibc

/// A mutual exclusion lock on which threads wait for each other, for a time or without end.
final class Monitor: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
    condition.deallocate()
  }

  /// Calls `body` while nobody else holds the lock.
  func locked<Result, E>(_ body: () throws(E) -> Result) throws(E) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body()
  }

  /// Releases the lock until a signal, then holds it again.
  func wait() { pthread_cond_wait(condition, mutex) }

  /// Releases the lock until a signal or a time (`Clock.now`), then holds it again.
  func wait(until time: Int64) {
    var limit = timespec(tv_sec: Int(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
    pthread_cond_timedwait(condition, mutex, &limit)
  }

  /// Wakes everybody who waits.
  func signal() { pthread_cond_broadcast(condition) }
}
