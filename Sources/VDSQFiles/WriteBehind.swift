import Glibc
import VDSQFormat

/// Writes on a separate thread, so that producing bytes does not wait for the kernel. At most two
/// chunks are queued.
final class WriteBehind: @unchecked Sendable {
  private struct Job {
    let bytes: [UInt8]
    let offset: Int
  }

  private static let depth = 2

  private let descriptor: Int32
  private var thread = pthread_t()
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  // Guarded by the mutex.
  private var waiting: [Job] = []
  private var isBusy = false
  private var isStopped = false
  private var failure: Int32 = 0

  /// Nil if the system cannot create a thread.
  init?(descriptor: Int32) {
    self.descriptor = descriptor
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
    // `stop` joins the thread before this object is released.
    let this = Unmanaged.passUnretained(self).toOpaque()
    let status = pthread_create(
      &thread, nil,
      { pointer in
        Unmanaged<WriteBehind>.fromOpaque(pointer!).takeUnretainedValue().serve()
        return nil
      }, this)
    guard status == 0 else {
      free()
      return nil
    }
  }

  private func free() {
    pthread_mutex_destroy(mutex)
    pthread_cond_destroy(changed)
    mutex.deallocate()
    changed.deallocate()
  }

  /// Ends the thread. No chunk may be queued afterwards.
  func stop() {
    pthread_mutex_lock(mutex)
    isStopped = true
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(mutex)
    pthread_join(thread, nil)
    free()
  }

  /// - Returns: the `errno` of an earlier write, or 0.
  func put(_ bytes: [UInt8], at offset: Int) -> Int32 {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while waiting.count >= Self.depth, failure == 0 { pthread_cond_wait(changed, mutex) }
    waiting.append(Job(bytes: bytes, offset: offset))
    pthread_cond_broadcast(changed)
    return failure
  }

  /// Waits until everything is written.
  ///
  /// - Returns: the `errno` of a write, or 0.
  func drain() -> Int32 {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while (!waiting.isEmpty || isBusy) && failure == 0 { pthread_cond_wait(changed, mutex) }
    return failure
  }

  private func serve() {
    pthread_mutex_lock(mutex)
    while true {
      while waiting.isEmpty && !isStopped { pthread_cond_wait(changed, mutex) }
      if waiting.isEmpty || failure != 0 { break }
      let job = waiting.removeFirst()
      isBusy = true
      pthread_cond_broadcast(changed)
      pthread_mutex_unlock(mutex)
      let status = job.bytes.withUnsafeBytes { Self.write($0, to: descriptor, at: job.offset) }
      pthread_mutex_lock(mutex)
      isBusy = false
      failure = status
      pthread_cond_broadcast(changed)
    }
    pthread_mutex_unlock(mutex)
  }

  /// Writes all bytes.
  ///
  /// - Returns: `errno`, or 0.
  static func write(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int
  ) -> Int32 {
    var done = 0
    while done < bytes.count {
      let count = pwrite(
        descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count < 0 ? errno : EIO }
      done += count
    }
    return 0
  }
}
