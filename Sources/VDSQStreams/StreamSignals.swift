import CShims

/// Signals to a program that reads a stream of texts.
///
/// SIGTERM and SIGINT end the input: what was read is still answered. SIGHUP asks for reading files
/// again. Nothing is allocated when a signal arrives.
package enum StreamSignals {
  /// Begins to watch. Until then, and again for a second SIGTERM or SIGINT, signals have their usual
  /// effect.
  ///
  /// - Parameter reloads: whether SIGHUP asks for reading files again; otherwise it ends the input.
  package static func watch(reloads: Bool) { vdsq_watch_signals(reloads) }

  /// Whether a signal ended the input.
  package static var isStopped: Bool { vdsq_stop_signal() != 0 }

  /// The number of times that SIGHUP arrived. Only a difference means something.
  package static var reloads: Int { Int(vdsq_reload_count()) }

  /// Ends the process as the signal that ended the input would have, if one did. So a shell knows
  /// that not all of the input was answered, and a supervisor that its signal had an effect.
  package static func endIfStopped() {
    let signal = vdsq_stop_signal()
    if signal != 0 { vdsq_end_by_signal(signal) }
  }
}
