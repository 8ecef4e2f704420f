import Synchronization
import VDSQ

/// Lets one caller work at a time.
final class Turn: Sendable {
  private let mutex = Mutex(())

  /// Calls `body` when it is the caller's turn.
  func take<Result>(_ body: () throws(VDSQError) -> Result) throws(VDSQError) -> Result {
    try mutex.withLock { (_) throws(VDSQError) in try body() }
  }
}
