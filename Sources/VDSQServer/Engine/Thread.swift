import Glibc

/// A thread of the operating system that runs one body.
final class Thread: @unchecked Sendable {
  private final class Body {
    let run: @Sendable () -> Void
    let name: String
    let niceness: Int32

    init(_ name: String, _ niceness: Int32, _ run: @escaping @Sendable () -> Void) {
      (self.name, self.niceness, self.run) = (name, niceness, run)
    }

    /// Swift does not import `pthread_setname_np`.
    func nameThread() {
      let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { return }
      defer { close(descriptor) }
      _ = write(descriptor, name, name.utf8.count)
    }
  }

  private var handle = pthread_t()

  /// Starts a thread.
  ///
  /// - Parameters:
  ///   - name: at most 15 bytes, shown by `top -H`.
  ///   - niceness: how far it steps back behind others, from 0 to 19.
  init(_ name: String, niceness: Int32 = 0, _ run: @escaping @Sendable () -> Void) {
    let body = Unmanaged.passRetained(Body(name, niceness, run)).toOpaque()
    let code = pthread_create(
      &handle, nil,
      { raw in
        let body = Unmanaged<Body>.fromOpaque(raw!).takeRetainedValue()
        body.nameThread()
        // On Linux this is the niceness of the calling thread alone.
        if body.niceness > 0 {
          setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, body.niceness)
        }
        body.run()
        return nil
      }, body)
    precondition(code == 0, "no thread can be started")
  }

  /// Waits until the body has ended.
  func join() { pthread_join(handle, nil) }
}
