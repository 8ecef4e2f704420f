import Glibc
import VDSQFormat
package import VDSQTraining

/// The page of an evaluation: figures, the learning curve, and of the last row the scores of each
/// label, the confusion matrix and the reliability diagram.
package struct EvaluationPage: Page {
  let title: String
  let rows: [EvaluationRow]
  let comparison: EvaluationComparison?

  package init(
    title: String, rows: [EvaluationRow], comparedWith comparison: EvaluationComparison? = nil
  ) {
    self.title = title
    self.rows = rows
    self.comparison = comparison
  }

  package var html: String {
    var parts = ["<h1>\(title.inHTML)</h1>", figures]
    if let comparison { parts.append(differences(comparison)) }
    if rows.count > 1 {
      parts.append(
        """
        <h2>Accuracy by examples per label</h2>
        <p>The band is the 95% confidence interval of the mean over seeds.</p>
        \(curve)
        """)
    }
    if let row = rows.last { parts += last(row) }
    return SVG.page(title, parts.joined(separator: "\n"), style: ConfusionTable.style)
  }

  private var figures: String {
    let lines = rows.map {
      "<tr><td>\(Self.shots($0))</td><td>\($0.method)</td><td>\(fixed($0.accuracy.mean, 4))</td>"
        + "<td>\(fixed($0.accuracy.deviation, 4))</td>"
        + "<td>\($0.accuracyInterval.bounds.map { fixed($0, 4) }.joined(separator: "\u{2013}"))</td>"
        + "<td>\(fixed($0.macroF1, 4))</td><td>\(fixed($0.calibrationError, 4))</td></tr>"
    }
    return SVG.table(
      "figures", ["shots", "method", "accuracy", "std", "95%", "macro-F1", "ECE"], lines)
  }

  private func differences(_ comparison: EvaluationComparison) -> String {
    let lines = rows.indices.map { i in
      let difference = comparison.differences[i]
      return "<tr><td>\(Self.shots(rows[i]))</td><td>\(difference.verdict.inHTML)</td>"
        + "<td>\(fixed(rows[i].accuracy.mean, 4))</td>"
        + "<td>\(fixed(comparison.others[i].accuracy.mean, 4))</td>"
        + "<td>\(signed(difference.difference))</td><td>\(difference.intervalText)</td></tr>"
    }
    return "<h2>Compared with \(comparison.name.inHTML)</h2>\n"
      + SVG.table(
        "differences", ["shots", "result", "accuracy", "other", "difference", "95%"], lines)
  }

  /// The parts about a single row.
  private func last(_ row: EvaluationRow) -> [String] {
    let place = row.shots.map { "At \(counted($0, "example")) per label: " } ?? ""
    let confusion = ConfusionTable(row)
    var parts = [
      "<h2>Confusion</h2>",
      "<p>\(place)rows are true labels, columns predicted labels; numbers are percentages of the row.</p>",
      confusion.html,
    ]
    if let list = confusion.confusions { parts += ["<h2>Most frequent confusions</h2>", list] }
    parts += [
      "<h2>Labels</h2>", labels(row), "<h2>Reliability</h2>",
      "<p>Bars are the accuracy of answers of about the same probability, with the gap to that "
        + "probability; below, how many answers there are. The expected calibration error is "
        + "\(fixed(row.calibrationError, 4)).</p>",
      ReliabilityDiagram(bins: row.reliability).html,
    ]
    return parts
  }

  private func labels(_ row: EvaluationRow) -> String {
    let report = row.report
    func line(_ name: String, _ scores: ClassificationReport.Scores?, _ support: Int) -> String {
      let numbers = [scores?.precision, scores?.recall, scores?.f1].map {
        "<td>\($0.map { fixed($0, 4) } ?? "\u{2013}")</td>"
      }
      return "<tr><td>\(name.inHTML)</td><td>\(support)</td>\(numbers.joined())</tr>"
    }
    let all = report.support.reduce(0, +)
    return SVG.table(
      "labels", ["label", "support", "precision", "recall", "F1"],
      row.names.indices.map { line(row.names[$0], report.labels[$0], report.support[$0]) }
        + [line("macro mean", report.macro, all), line("weighted mean", report.weighted, all)])
  }

  private static func shots(_ row: EvaluationRow) -> String { row.shots.map { "\($0)" } ?? "" }

  private var curve: String {
    let (width, height, left, right, bottom) = (760.0, 300.0, 56.0, 740.0, 256.0)
    let values = rows.flatMap {
      [$0.accuracyInterval.lowerBound, $0.accuracyInterval.upperBound]
    }
    let low = max(0, ((values.min() ?? 0) * 10).rounded(.down) / 10)
    let high = min(1, max(((values.max() ?? 1) * 10).rounded(.up) / 10, low + 0.1))
    func x(_ index: Int) -> Double {
      left + 20 + (right - left - 40) * Double(index) / Double(max(1, rows.count - 1))
    }
    func y(_ value: Double) -> Double {
      bottom - (bottom - 16) * (min(max(value, low), high) - low) / (high - low)
    }
    var body = ""
    let step = SVG.step(high - low)
    for tick in stride(from: low, through: high + step / 4, by: step) {
      body += SVG.rule(left, right, y(tick))
      body += SVG.text(left - 8, y(tick) + 4, fixed(tick, 2), anchor: "end")
    }
    let intervals = rows.map(\.accuracyInterval)
    let band =
      intervals.enumerated().map { (x($0), y($1.upperBound)) }
      + intervals.enumerated().reversed().map { (x($0), y($1.lowerBound)) }
    body += SVG.area(band, SVG.colours[0])
    body += SVG.line(rows.enumerated().map { (x($0), y($1.accuracy.mean)) }, SVG.colours[0])
    for (i, row) in rows.enumerated() {
      body += SVG.dot(
        x(i), y(row.accuracy.mean), SVG.colours[0],
        title: "\(counted(row.shots ?? 0, "example")): \(fixed(row.accuracy.mean, 4))")
      body += SVG.text(
        x(i), y(row.accuracy.mean) - 10, fixed(row.accuracy.mean, 3), anchor: "middle", "name")
      body += SVG.text(x(i), bottom + 18, "\(row.shots ?? 0)", anchor: "middle")
    }
    body += SVG.text((left + right) / 2, bottom + 38, "examples per label", anchor: "middle")
    return SVG.picture(width, height, "learning curve", body)
  }
}
