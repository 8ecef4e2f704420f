package import VDSQConversion
package import VDSQStreams

/// The report of `vdsq bases`.
package struct BasesFileReport: Report {
  let report: BasesReport
  /// The file that was written, and its length.
  let output: String
  let bytes: Int
  /// The duration.
  let seconds: Double
  /// The process's peak resident set; nil if the system does not report it.
  let peakBytes: Int?

  package init(
    _ report: BasesReport, output: String, bytes: Int, seconds: Double, peakBytes: Int?
  ) {
    self.report = report
    self.output = output
    self.bytes = bytes
    self.seconds = seconds
    self.peakBytes = peakBytes
  }

  package var text: String {
    var lines: [String] = []
    if report.method == .pinv || report.method == .ridge {
      lines.append(
        "condition number \(significant(report.condition)), rank \(report.rank) of \(report.columns), "
          + "effective rank \(fixed(report.effectiveRank, 1))"
          + (report.refined ? "; solved in two steps" : ""))
      lines.append(
        "|W S^T e - e| over \(report.sampled) tokens: mean \(fixed(report.meanError, 4)), largest "
          + fixed(report.largestError, 4))
    }
    let peak = peakBytes.map { ", peak RSS \(mebibytes($0))" } ?? ""
    lines.append("\(output): \(mebibytes(bytes)), \(fixed(seconds, 2)) s\(peak)")
    return lines.joined(separator: "\n")
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("method", report.method.rawValue)
      json.member("rows", report.rows)
      json.member("columns", report.columns)
      json.member("condition", report.condition)
      json.member("rank", report.rank)
      json.member("effective_rank", report.effectiveRank)
      json.member("refined", report.refined)
      json.key("reconstruction_error")
      json.object {
        json.member("mean", report.meanError)
        json.member("max", report.largestError)
        json.member("sampled", report.sampled)
      }
      json.member("bytes", bytes)
      json.member("seconds", seconds, decimals: 3)
      json.member("peak_bytes", peakBytes)
    }
  }
}

extension BasesPlan {
  /// The memory plan of the solver, one line per part.
  ///
  /// - Parameters:
  ///   - rows: the rows of the head; `columns` likewise.
  package func text(rows: Int, columns: Int, method: BasesMethod) -> String {
    var text = "plan: \(rows) x \(columns), \(method.rawValue)\n"
    for part in parts {
      text += "  \(padded(part.name, 40)) \(rightAligned(mebibytes(part.bytes), 10))\n"
    }
    return text + "  \(padded("in all", 40)) \(rightAligned(mebibytes(total), 10))\n"
  }
}
