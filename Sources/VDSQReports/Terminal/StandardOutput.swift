import CShims
import Glibc
package import VDSQFormat
import VDSQStreams

/// Standard output, with every failure to write reported.
package enum StandardOutput {
  /// Whether an output file is standard output. Reports go to standard error then.
  package nonisolated(unsafe) static var isTaken = false

  /// Writes a line of a report.
  ///
  /// - Throws: `internalFault` if it cannot be written.
  package static func write(line: String) throws(VDSQError) {
    let output = OutputBuffer(descriptor: isTaken ? 2 : 1)
    output.write(line)
    output.write("\n")
    try output.flush()
  }

  /// Ends the program as the signal that ended its input would have, if one did.
  package static func endIfStopped() {
    if StreamSignals.isStopped, vdsq_close_standard_output() { StreamSignals.endIfStopped() }
  }

  /// Ends the program with an error if its output, help texts among it, could not be written.
  package static func checkAtExit() {
    atexit {
      // Some file systems report only when a file is closed that bytes could not be stored.
      if vdsq_close_standard_output() { return }
      let reason = lastErrorText()
      StandardError.write("vdsq: the output cannot be written: \(reason)\n")
      _exit(VDSQError.Category.internalFault.rawValue)
    }
  }
}
