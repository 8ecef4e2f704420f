import CShims
import Glibc

/// The clock of deadlines and durations.
enum Clock {
  /// Nanoseconds since the machine was started.
  static var now: Int64 { vdsq_now() }

  /// Seconds since 1970.
  static var date: Int { Glibc.time(nil) }

  static let millisecond: Int64 = 1_000_000
  static let second: Int64 = 1_000_000_000
}
