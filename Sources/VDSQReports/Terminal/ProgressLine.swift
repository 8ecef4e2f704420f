/// A line that shows how much of some work is done, for a terminal of any width.
package struct ProgressLine {
  let title: String
  let percent: Int
  let secondsLeft: Double?

  /// - Parameters:
  ///   - percent: the share that is done, from 0 to 100.
  ///   - secondsLeft: the estimated time that the rest takes; nil if it is not known yet.
  package init(title: String, percent: Int, secondsLeft: Double? = nil) {
    self.title = title
    self.percent = percent
    self.secondsLeft = secondsLeft
  }

  /// The line, short enough not to wrap: the bar and the end of the title are left out if necessary.
  package func text(columns: Int) -> String {
    // A terminal wraps when its last column is written.
    let width = max(0, columns - 1)
    let share = "\(percent)%" + (secondsLeft.map { ", \(Self.duration($0)) left" } ?? "")
    let filled = percent * Self.barWidth / 100
    let bar =
      "["
      + String(repeating: "#", count: filled)
      + String(repeating: ".", count: Self.barWidth - filled) + "]"
    let whole = "\(title) \(bar) \(share)"
    if whole.count <= width { return whole }
    let short = "\(title) \(share)"
    if short.count <= width { return short }
    let room = width - share.count - 2
    if room >= 4 { return "\(title.prefix(room))… \(share)" }
    return String(share.prefix(width))
  }

  private static let barWidth = 30

  /// `40 s`, `3 min`, `2 h 5 min`: as exact as an estimate is.
  static func duration(_ seconds: Double) -> String {
    let seconds = Int(max(0, min(seconds, 359_999)).rounded(.up))
    if seconds < 60 { return "\(seconds) s" }
    let minutes = (seconds + 30) / 60
    if minutes < 60 { return "\(minutes) min" }
    return "\(minutes / 60) h \(minutes % 60) min"
  }
}
