import CShims

/// Measures the wall time of repeated work.
package enum Timing {
  /// Seconds of a monotonic clock.
  package static func now() -> Double { Double(vdsq_now()) * 1e-9 }

  /// The median time of one call of `body` in seconds.
  package static func median(seconds: Double, _ body: () -> Void) -> Double {
    medians(seconds: seconds, body, {}).0
  }

  /// The median times of one call of each of two bodies that run in turns.
  ///
  /// Calls are grouped into samples of at least a millisecond, so that the cost of the clock is
  /// negligible. Sampling runs until `seconds` have passed, with at least nine samples.
  package static func medians(
    seconds: Double, _ first: () -> Void, _ second: () -> Void
  ) -> (Double, Double) {
    let counts = (calls(first), calls(second))
    var samples: ([Double], [Double]) = ([], [])
    let deadline = now() + seconds
    while samples.0.count < 9 || now() < deadline {
      samples.0.append(time(counts.0, first))
      samples.1.append(time(counts.1, second))
    }
    return (
      samples.0.sorted()[samples.0.count / 2], samples.1.sorted()[samples.1.count / 2]
    )
  }

  /// The number of calls in a sample. The first sample warms up caches.
  private static func calls(_ body: () -> Void) -> Int {
    body()
    return min(1_000_000, max(1, Int(0.001 / max(time(1, body), 1e-9))))
  }

  private static func time(_ calls: Int, _ body: () -> Void) -> Double {
    let start = now()
    for _ in 0..<calls { body() }
    return (now() - start) / Double(calls)
  }
}
