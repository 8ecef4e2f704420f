package import VDSQStreams
package import VDSQTraining

/// Classification accuracy, one row for each number of examples; differences from a second
/// evaluation; and the scores of each label in the last row.
package struct EvaluationReport: Report {
  let rows: [EvaluationRow]
  let comparison: EvaluationComparison?

  package init(_ rows: [EvaluationRow], comparedWith comparison: EvaluationComparison? = nil) {
    self.rows = rows
    self.comparison = comparison
  }

  package var text: String {
    var lines = [
      "\(rightAligned("shots", 6))  \(padded("method", 12)) \(rightAligned("accuracy", 9)) "
        + "\(rightAligned("std", 7)) \(rightAligned("95%", 16)) \(rightAligned("macro-F1", 9)) "
        + rightAligned("ECE", 7)
    ]
    for row in rows {
      lines.append(
        "\(rightAligned(row.shots.map { "\($0)" } ?? "", 6))  \(padded(row.method, 12)) "
          + "\(rightAligned(fixed(row.accuracy.mean, 4), 9)) "
          + "\(rightAligned(fixed(row.accuracy.deviation, 4), 7)) "
          + "\(rightAligned(Self.text(row.accuracyInterval), 16)) "
          + "\(rightAligned(fixed(row.macroF1, 4), 9)) "
          + rightAligned(fixed(row.calibrationError, 4), 7))
    }
    if let comparison { lines += Self.lines(comparison, rows) }
    if let last = rows.last { lines += Self.lines(last.report, last.names) }
    return lines.joined(separator: "\n")
  }

  private static func text(_ interval: ClosedRange<Double>) -> String {
    "\(fixed(interval.lowerBound, 4))-\(fixed(interval.upperBound, 4))"
  }

  private static func lines(
    _ comparison: EvaluationComparison, _ rows: [EvaluationRow]
  ) -> [String] {
    var lines = [
      "", "compared with \(comparison.name):",
      "\(rightAligned("shots", 6))  \(rightAligned("accuracy", 9)) \(rightAligned("other", 9)) "
        + "\(rightAligned("difference", 11)) \(rightAligned("95%", 18))  result",
    ]
    for (i, row) in rows.enumerated() {
      let difference = comparison.differences[i]
      lines.append(
        "\(rightAligned(row.shots.map { "\($0)" } ?? "", 6))  "
          + "\(rightAligned(fixed(row.accuracy.mean, 4), 9)) "
          + "\(rightAligned(fixed(comparison.others[i].accuracy.mean, 4), 9)) "
          + "\(rightAligned(signed(difference.difference), 11)) "
          + "\(rightAligned(difference.intervalText, 18))  \(difference.verdict)")
    }
    return lines
  }

  private static func lines(_ report: ClassificationReport, _ names: [String]) -> [String] {
    let means = [("macro mean", report.macro), ("weighted mean", report.weighted)]
    let width = (names + means.map(\.0)).map(\.count).max() ?? 0
    func line(_ name: String, _ scores: ClassificationReport.Scores?, _ support: Int) -> String {
      let numbers = [scores?.precision, scores?.recall, scores?.f1].map {
        rightAligned($0.map { fixed($0, 4) } ?? "-", 9)
      }
      return "\(padded(name, width)) \(numbers.joined(separator: " ")) "
        + rightAligned("\(support)", 8)
    }
    let all = report.support.reduce(0, +)
    return [
      "",
      "\(padded("label", width)) \(rightAligned("precision", 9)) \(rightAligned("recall", 9)) "
        + "\(rightAligned("F1", 9)) \(rightAligned("support", 8))",
    ] + names.indices.map { line(names[$0], report.labels[$0], report.support[$0]) }
      + means.map { line($0.0, $0.1, all) }
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("labels", rows.first?.names ?? [])
      if let comparison { json.member("compared_with", comparison.name) }
      json.key("rows")
      json.array {
        for (i, row) in rows.enumerated() {
          json.object {
            json.member("shots", row.shots)
            json.member("method", row.method)
            json.member("seeds", row.evaluations.count)
            json.member("texts", row.evaluations[0].count)
            json.member("accuracy_mean", row.accuracy.mean)
            json.member("accuracy_std", row.accuracy.deviation)
            json.member("accuracy_margin_95", row.accuracy.margin)
            json.member("accuracy_interval_95", row.accuracyInterval.bounds)
            json.member("macro_f1", row.macroF1)
            json.member("ece", row.calibrationError)
            row.report.write(to: json, names: row.names)
            json.key("reliability")
            json.array {
              for bin in row.reliability {
                json.object {
                  json.member("count", bin.count)
                  json.member("accuracy", bin.count > 0 ? bin.accuracy : nil)
                  json.member("confidence", bin.count > 0 ? bin.confidence : nil)
                }
              }
            }
            json.member("confusion", row.confusion)
            if let comparison {
              json.key("comparison")
              comparison.write(to: json, row: i)
            }
          }
        }
      }
    }
  }
}

extension ClassificationReport {
  /// Members with the scores of each label and their means.
  func write(to json: JSONWriter, names: [String]) {
    json.key("per_label")
    json.array {
      for (i, name) in names.enumerated() {
        json.object {
          json.member("label", name)
          Self.write(labels[i], to: json)
          json.member("support", support[i])
        }
      }
    }
    for (key, scores) in [("macro_mean", macro), ("weighted_mean", weighted)] {
      json.key(key)
      json.object { Self.write(scores, to: json) }
    }
  }

  static func write(_ scores: Scores?, to json: JSONWriter) {
    json.member("precision", scores?.precision)
    json.member("recall", scores?.recall)
    json.member("f1", scores?.f1)
  }
}

extension ClosedRange<Double> {
  var bounds: [Double] { [lowerBound, upperBound] }
}
