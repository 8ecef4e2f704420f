import Glibc
import VDSQFormat
package import VDSQTraining

/// The page of an evaluation: the learning curve and the confusion matrix.
package struct EvaluationPage: Page {
  let title: String
  let rows: [EvaluationRow]

  package init(title: String, rows: [EvaluationRow]) {
    self.title = title
    self.rows = rows
  }

  package var html: String {
    let lines = rows.map {
      "<tr><td>\($0.shots.map { "\($0)" } ?? "")</td><td>\($0.method)</td><td>\(fixed($0.accuracy.mean, 4))</td>"
        + "<td>\(fixed($0.accuracy.deviation, 4))</td><td>\(fixed($0.macroF1, 4))</td>"
        + "<td>\(fixed($0.calibrationError, 4))</td></tr>"
    }
    return SVG.page(
      title,
      """
      <h1>\(SVG.escaped(title))</h1>
      \(rows.count > 1 ? "<h2>Accuracy by examples per label</h2><p>The band is the 95% confidence interval of the mean over seeds.</p>\(curve)" : "")
      <h2>Confusion</h2>
      <p>\(rows.last?.shots.map { "At \(counted($0, "example")) per label: " } ?? "")rows are true labels, columns predicted labels; numbers are percentages of the row.</p>
      \(confusion)
      <h2>Figures</h2>
      <div class="scroll"><table><thead><tr><th>shots</th><th>method</th><th>accuracy</th><th>std</th><th>macro-F1</th><th>ECE</th></tr></thead>
      <tbody>\(lines.joined(separator: "\n"))</tbody></table></div>
      """)
  }

  private var curve: String {
    let (width, height, left, right, bottom) = (760.0, 300.0, 56.0, 740.0, 256.0)
    let values = rows.flatMap {
      [$0.accuracy.interval.lowerBound, $0.accuracy.interval.upperBound]
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
    let spreads = rows.map(\.accuracy)
    let band =
      spreads.enumerated().map { (x($0), y($1.interval.upperBound)) }
      + spreads.enumerated().reversed().map { (x($0), y($1.interval.lowerBound)) }
    body += SVG.area(band, SVG.colours[0])
    body += SVG.line(spreads.enumerated().map { (x($0), y($1.mean)) }, SVG.colours[0])
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

  private var confusion: String {
    guard let row = rows.last else { return "" }
    let counts = row.confusion
    let longest = row.names.map(\.count).max() ?? 0
    let left = min(220, 16 + Double(longest) * 7)
    let cell = max(9, min(44, (940 - left) / Double(max(1, counts.count))))
    let isLarge = cell >= 26
    var body = ""
    for (i, line) in counts.enumerated() {
      let total = max(1, line.reduce(0, +))
      let y = Double(i) * cell
      body += SVG.text(
        left - 6, y + cell / 2 + 4, String(row.names[i].prefix(28)), anchor: "end", "name")
      for (j, count) in line.enumerated() {
        let share = Double(count) / Double(total)
        body += SVG.box(
          left + Double(j) * cell, y, cell - 1, cell - 1, SVG.colours[i == j ? 0 : 1],
          opacity: 0.04 + 0.96 * share.squareRoot(),
          title: "\(row.names[i]) predicted as \(row.names[j]): \(fixed(share * 100, 1))%")
        if isLarge, count > 0 {
          body += SVG.text(
            left + Double(j) * cell + cell / 2, y + cell / 2 + 4, "\(Int((share * 100).rounded()))",
            anchor: "middle", "name")
        }
      }
    }
    return SVG.picture(
      left + cell * Double(counts.count) + 4, cell * Double(counts.count) + 4, "confusion matrix",
      body)
  }
}
