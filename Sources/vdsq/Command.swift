import ArgumentParser
import Glibc
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQReports
import VDSQStreams

/// A command with typed failures: one line on standard error and the exit code of the category.
protocol Command: ParsableCommand {
  /// The files of the command, which are checked before anything is read.
  var files: CommandFiles { get }
  func execute() throws(VDSQError)
}

extension Command {
  func run() throws {
    do throws(VDSQError) {
      try files.check()
      StandardOutput.isTaken = files.outputs.contains {
        $0.map(AtomicFile.isStandardOutput) ?? false
      }
      try execute()
      StandardOutput.endIfStopped()
    } catch {
      StandardError.write("vdsq: \(error.commandLineMessage)\n")
      throw ExitCode(error.category.rawValue)
    }
  }
}
