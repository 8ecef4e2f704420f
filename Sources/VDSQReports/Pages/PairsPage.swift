package import VDSQTraining

/// The page of `vdsq pairs`: the accuracy of each task as a bar with its interval, best first.
package struct PairsPage: Page {
  let title: String
  let evaluation: PairEvaluation

  package init(title: String, _ evaluation: PairEvaluation) {
    (self.title, self.evaluation) = (title, evaluation)
  }

  package var html: String {
    let total = evaluation.total
    let body = """
      <h1>\(title.inHTML)</h1>
      <p>The right text of \(total.right) of \(total.count) pairs is likelier, which is an accuracy \
      of \(fixed(total.accuracy, 3)). A line is the 95% interval over a task's pairs. Half of the \
      pairs would be right by chance.</p>
      \(bars)
      """
    return SVG.page(title, body)
  }

  private var bars: String {
    let tasks = evaluation.tasks.sorted { $0.accuracy > $1.accuracy }
    let longest = tasks.map { PairsReport.name($0).count }.max() ?? 0
    let left = min(7 * Double(longest), 400) + 14
    let (width, row, top) = (left + 380.0, 19.0, 22.0)
    let bottom = top + row * Double(tasks.count)
    func x(_ share: Double) -> Double { left + 310 * share }
    var body = ""
    for share in [0, 0.25, 0.5, 0.75, 1] {
      body += SVG.text(x(share), 14, fixed(share, 2), anchor: "middle")
      body +=
        "<line class=\"\(share == 0.5 ? "diagonal" : "grid")\" x1=\"\(fixed(x(share), 1))\" "
        + "x2=\"\(fixed(x(share), 1))\" y1=\"\(top)\" y2=\"\(fixed(bottom, 1))\"/>"
    }
    for (i, task) in tasks.enumerated() {
      let y = top + row * Double(i)
      let name = PairsReport.name(task)
      let title =
        "\(name): \(task.right) of \(task.count), mean difference "
        + "\(fixed(task.meanDifference, 2)) nats"
      body += SVG.text(left - 8, y + 14, name, anchor: "end", "name")
      body += SVG.box(
        left, y + 4, x(task.accuracy) - left, row - 7, SVG.colours[0], opacity: 0.75, title: title)
      body +=
        "<line stroke=\"\(SVG.colours[1])\" stroke-width=\"2\" x1=\"\(fixed(x(task.interval.lowerBound), 1))\" "
        + "x2=\"\(fixed(x(task.interval.upperBound), 1))\" y1=\"\(fixed(y + row / 2, 1))\" "
        + "y2=\"\(fixed(y + row / 2, 1))\"/>"
      body += SVG.text(x(1) + 12, y + 14, fixed(task.accuracy, 3))
    }
    return SVG.picture(width, bottom + 6, "accuracy of each task", body)
  }
}
