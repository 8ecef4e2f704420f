import Glibc

/// Wall time of repeated work.
public enum Timing {
  /// Seconds on a clock that only goes forward.
  public static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// The median time of one call of `body` in seconds.
  ///
  /// Calls are grouped into samples of a millisecond at least, so that the clock costs nothing, and
  /// sampled until `seconds` have passed, nine times at least. The first sample, which warms caches
  /// up, does not count.
  public static func median(seconds: Double, _ body: () -> Void) -> Double {
    body()
    var start = now()
    body()
    let calls = max(1, Int(0.001 / max(now() - start, 1e-9)))
    var samples: [Double] = []
    let deadline = now() + seconds
    while samples.count < 9 || now() < deadline {
      start = now()
      for _ in 0..<calls { body() }
      samples.append((now() - start) / Double(calls))
    }
    return samples.sorted()[samples.count / 2]
  }
}
