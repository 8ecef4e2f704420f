package import VDSQMeasurement
import VDSQ
package import VDSQStreams

/// The report of `vdsq plan`.
package struct PolicyReport: Report {
  let comparison: PolicyComparison

  package init(_ comparison: PolicyComparison) { self.comparison = comparison }

  package var text: String {
    let chosen = comparison.chosen
    var lines = chosen.parts.map {
      "\(padded($0.name, 22)) \(rightAligned(mebibytes($0.bytes), 10))"
    }
    lines.append(
      "\(padded("peak, \(chosen.policy.name)", 22)) \(rightAligned(mebibytes(chosen.peakBytes), 10))\n"
    )
    for entry in comparison.entries {
      let footprint = entry.footprint
      let time = entry.batchSeconds.map { ", a full batch in \(significant($0 * 1e3)) ms" } ?? ""
      lines.append(
        "\(padded("--memory-policy \(footprint.policy.name)", 26)) \(mebibytes(footprint.peakBytes))\(time)"
      )
    }
    if let warning = chosen.cutWarning { lines.append(warning) }
    lines.append("smallest budget: --memory-budget \(comparison.smallestBudget / 1024)K")
    return lines.joined(separator: "\n")
  }

  package func write(to json: JSONWriter) {
    let chosen = comparison.chosen
    json.object {
      json.member("policy", chosen.policy.name)
      json.member("peak_bytes", chosen.peakBytes)
      json.member("maximum_tokens", chosen.maximumTokens)
      json.key("parts")
      json.array {
        for part in chosen.parts {
          json.object {
            json.member("name", part.name)
            json.member("bytes", part.bytes)
          }
        }
      }
      json.member("smallest_budget", comparison.smallestBudget)
      json.key("policies")
      json.array {
        for entry in comparison.entries {
          json.object {
            json.member("policy", entry.footprint.policy.name)
            json.member("peak_bytes", entry.footprint.peakBytes)
            if let seconds = entry.batchSeconds { json.member("batch_seconds", seconds) }
          }
        }
      }
    }
  }
}
