import VDSQFormat
import VDSQInference

/// What a run over a stream of texts took.
package enum RunStatistics {
  /// A line for a person, with its end.
  ///
  /// - Parameter tokens: nil if they were not counted.
  package static func line(_ texts: Int, tokens: Int?, seconds: Double) -> String {
    let peak = ProcessMemory.peakResidentBytes().map { ", peak RSS \(mebibytes($0))" } ?? ""
    let tokens = tokens.map { ", \(counted($0, "token"))" } ?? ""
    return "\(counted(texts, "text"))\(tokens), \(fixed(seconds, 3)) s\(peak)\n"
  }
}
