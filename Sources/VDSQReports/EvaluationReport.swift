package import VDSQStreams
package import VDSQTraining

/// Classification accuracy, one row for each number of examples.
package struct EvaluationReport: Report {
  let rows: [EvaluationRow]

  package init(_ rows: [EvaluationRow]) { self.rows = rows }

  package var text: String {
    var lines = [
      "\(rightAligned("shots", 6))  \(padded("method", 12)) \(rightAligned("accuracy", 9)) "
        + "\(rightAligned("std", 7)) \(rightAligned("95%", 16)) \(rightAligned("macro-F1", 9)) "
        + rightAligned("ECE", 7)
    ]
    for row in rows {
      let accuracy = row.accuracy
      let interval =
        row.evaluations.count > 1
        ? "\(fixed(accuracy.interval.lowerBound, 4))-\(fixed(accuracy.interval.upperBound, 4))"
        : ""
      lines.append(
        "\(rightAligned(row.shots.map { "\($0)" } ?? "", 6))  \(padded(row.method, 12)) "
          + "\(rightAligned(fixed(accuracy.mean, 4), 9)) "
          + "\(rightAligned(fixed(accuracy.deviation, 4), 7)) \(rightAligned(interval, 16)) "
          + "\(rightAligned(fixed(row.macroF1, 4), 9)) "
          + rightAligned(fixed(row.calibrationError, 4), 7))
    }
    return lines.joined(separator: "\n")
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("labels", rows.first?.names ?? [])
      json.key("rows")
      json.array {
        for row in rows {
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
    }
  }
}
