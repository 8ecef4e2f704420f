import Glibc
import VDSQMeasurement

/// A progress line on standard error, with an estimate of the time that is left. Nothing is shown if
/// standard error is not a terminal.
package final class ProgressBar {
  private let title: String
  private let shown: Bool
  /// When the first part of the work was done, and which part.
  private var first: (seconds: Double, done: Int)?
  private var last = (seconds: 0.0, percent: -1)

  package init(_ title: String, quiet: Bool) {
    self.title = title
    shown = StandardError.isTerminal && !quiet
  }

  /// Shows a share of the work. Costs little if nothing changed.
  package func show(_ done: Int, of total: Int) {
    guard shown, total > 0 else { return }
    let percent = min(100, done * 100 / total)
    let now = Timing.now()
    // The estimate changes between percents too.
    guard percent != last.percent || now - last.seconds >= 1 else { return }
    last = (now, percent)
    let start = first ?? (now, done)
    first = start
    var left: Double?
    if now - start.seconds >= 2, done > start.done {
      left = (now - start.seconds) / Double(done - start.done) * Double(total - done)
    }
    let text = ProgressLine(title: title, percent: percent, secondsLeft: left)
      .text(columns: StandardError.columns)
    StandardError.write("\r\u{1B}[K\(text)")
  }

  /// Removes the line.
  package func end() {
    if shown { StandardError.write("\r\u{1B}[K") }
  }
}
