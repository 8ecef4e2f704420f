import VDSQFormat
import VDSQTraining

/// A reliability diagram (Guo et al. 2017): the accuracy of answers by their probability. Answers
/// on the diagonal are as often right as they are said to be. Below it, how many answers there are.
struct ReliabilityDiagram {
  let bins: [ReliabilityBin]

  var html: String {
    let (left, right, top, bottom) = (40.0, 336.0, 10.0, 306.0)
    let (lowest, width) = (370.0, 354.0)
    func x(_ share: Double) -> Double { left + (right - left) * share }
    func y(_ share: Double) -> Double { bottom - (bottom - top) * share }
    var body = ""
    for tick in [0, 0.25, 0.5, 0.75, 1] {
      body += SVG.rule(left, right, y(tick))
      body += SVG.text(left - 6, y(tick) + 4, fixed(tick, 2), anchor: "end")
      body += SVG.text(x(tick), lowest + 16, fixed(tick, 2), anchor: "middle")
    }
    let most = Double(max(1, bins.map(\.count).max() ?? 0))
    let step = 1 / Double(bins.count)
    for (i, bin) in bins.enumerated() where bin.count > 0 {
      let (start, size) = (x(Double(i) * step) + 1, (right - left) * step - 2)
      let title =
        "probability \(fixed(bin.confidence, 3)), accuracy \(fixed(bin.accuracy, 3)): "
        + counted(bin.count, "answer")
      body += SVG.box(
        start, y(bin.accuracy), size, bottom - y(bin.accuracy), SVG.colours[0], title: title)
      // The gap between what was said and what is.
      let (low, high) = (min(bin.accuracy, bin.confidence), max(bin.accuracy, bin.confidence))
      body += SVG.box(
        start, y(high), size, y(low) - y(high), SVG.colours[1], opacity: 0.55, title: title)
      let height = 44 * Double(bin.count) / most
      body += SVG.box(
        start, lowest - height, size, height, SVG.colours[0], opacity: 0.6, title: title)
    }
    body +=
      "<line class=\"diagonal\" x1=\"\(left)\" y1=\"\(bottom)\" x2=\"\(right)\" y2=\"\(top)\"/>"
    body += SVG.text((left + right) / 2, lowest + 34, "probability", anchor: "middle")
    return SVG.picture(width, lowest + 40, "reliability diagram", body)
  }
}
