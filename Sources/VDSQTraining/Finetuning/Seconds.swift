import Glibc

/// The monotonic clock.
enum Seconds {
  /// Seconds since some time before the process began.
  static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
