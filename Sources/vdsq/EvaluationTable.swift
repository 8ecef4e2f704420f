import VDSQStreams
import VDSQTraining

/// An evaluation as a table for a terminal, or as JSON.
struct EvaluationTable {
  let rows: [EvaluationRow]

  var lines: [String] {
    let head = [
      rightAligned("shots", 6) + " ", padded("method", 12), rightAligned("accuracy", 9),
      rightAligned("std", 7), rightAligned("95%", 16), rightAligned("macro-F1", 9),
      rightAligned("ECE", 7),
    ]
    return [head.joined(separator: " ")] + rows.map(line)
  }

  private func line(_ row: EvaluationRow) -> String {
    let (mean, margin) = (row.accuracy.mean, row.accuracy.margin)
    let interval =
      row.evaluations.count > 1 ? "\(fixed(mean - margin, 4))-\(fixed(mean + margin, 4))" : ""
    let cells = [
      rightAligned(row.shots.map { "\($0)" } ?? "", 6) + " ", padded(row.method, 12),
      rightAligned(fixed(mean, 4), 9), rightAligned(fixed(row.accuracy.deviation, 4), 7),
      rightAligned(interval, 16), rightAligned(fixed(row.macroF1, 4), 9),
      rightAligned(fixed(row.calibrationError, 4), 7),
    ]
    return cells.joined(separator: " ")
  }

  var json: String {
    JSONWriter.string { json in
      json.object {
        json.member("labels", rows.first?.names ?? [])
        json.key("rows")
        json.array { for row in rows { Self.write(row, to: json) } }
      }
    }
  }

  private static func write(_ row: EvaluationRow, to json: JSONWriter) {
    json.object {
      json.member("shots", row.shots)
      json.member("method", row.method)
      json.member("seeds", row.evaluations.count)
      json.member("accuracy_mean", row.accuracy.mean)
      json.member("accuracy_std", row.accuracy.deviation)
      json.member("accuracy_margin_95", row.accuracy.margin)
      json.member("macro_f1", row.macroF1)
      json.member("ece", row.calibrationError)
      json.member("confusion", row.confusion)
    }
  }
}
