import VDSQMeasurement

extension BenchComparison: Report {
  /// One line for each setting that differs, and for each figure.
  package var text: String {
    var lines = changes.map { "not the same \($0.setting): \($0.old) before, \($0.new) now" }
    let width = figures.map(\.name.count).max()! + 2
    lines.append(
      padded("", width) + ["before", "now", "ratio"].map { rightAligned($0, 12) }.joined())
    for figure in figures {
      let numbers = [
        significant(figure.old), significant(figure.new), figure.ratio.map { fixed($0, 2) } ?? "",
      ]
      lines.append(
        padded(figure.name, width) + numbers.map { rightAligned($0, 12) }.joined()
          + (figure.isBetter ? "  better" : figure.isWorse ? "  worse" : ""))
    }
    return lines.joined(separator: "\n")
  }
}
