import Glibc

/// A progress line on standard error. Nothing is shown if standard error is not a terminal.
final class ProgressBar {
  private let title: String
  private let shown: Bool
  private var percent = -1

  init(_ title: String, quiet: Bool) {
    self.title = title
    shown = StandardError.isTerminal && !quiet
  }

  func show(_ done: Int, of total: Int) {
    guard shown, total > 0 else { return }
    let now = min(100, done * 100 / total)
    guard now != percent else { return }
    percent = now
    let filled = now * 30 / 100
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
    StandardError.write("\r\(title) [\(bar)] \(now)%")
  }

  func end() {
    if shown { StandardError.write("\r\u{1B}[K") }
  }
}
