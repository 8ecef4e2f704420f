import Glibc

/// Parts of charts, and the page around them.
enum SVG {
  /// Colours of series that are distinguishable with colour blindness.
  static let colours = [
    "#1f77b4", "#d55e00", "#009e73", "#cc79a7", "#8c6d1f", "#5b5bd6", "#56b4e9", "#888888",
  ]

  static let style = """
    :root { color-scheme: light dark; --page: light-dark(#fcfcfb, #171716); --ink: light-dark(#1d1d1b, #ecebe7);
      --soft: light-dark(#6b6a66, #9d9b95); --line: light-dark(#dddcd8, #3a3936); }
    body { margin: 0 auto; max-width: 60rem; padding: 1.5rem; background: var(--page); color: var(--ink);
      font: 15px/1.45 system-ui, sans-serif; }
    h1 { font-size: 1.25rem; overflow-wrap: anywhere; } h2 { font-size: 1.05rem; margin-top: 2rem; }
    p { color: var(--soft); margin: .2rem 0 .8rem; max-width: 46rem; }
    .scroll { overflow-x: auto; }
    svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft); font-size: 12px; }
    svg .grid { stroke: var(--line); } svg .diagonal { stroke: var(--ink); stroke-dasharray: 4 3; }
    svg .name { fill: var(--ink); }
    .small { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 1rem; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
    th, td { white-space: nowrap; text-align: right; padding: .15rem .7rem; border-bottom: 1px solid var(--line); }
    th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
    """

  /// - Parameter style: rules besides `SVG.style`.
  static func page(_ title: String, _ body: String, style more: String = "") -> String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(escaped(title))</title>
    <style>\(style)\(more.isEmpty ? "" : "\n\(more)")</style>
    </head>
    <body>
    \(body)
    </body>
    </html>

    """
  }

  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
  }

  static func picture(
    _ width: Double, _ height: Double, _ label: String, _ body: String
  ) -> String {
    // On a phone, a wide picture scrolls rather than shrinks until nobody can read it.
    "<div class=\"scroll\"><svg viewBox=\"0 0 \(fixed(width, 0)) \(fixed(height, 0))\" role=\"img\" "
      + "style=\"max-width: \(fixed(width, 0))px; min-width: \(fixed(min(width, 560), 0))px\" "
      + "aria-label=\"\(escaped(label))\">\(body)</svg></div>"
  }

  static func line(_ points: [(Double, Double)], _ colour: String) -> String {
    "<polyline points=\"\(path(points))\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\"/>"
  }

  static func area(_ points: [(Double, Double)], _ colour: String) -> String {
    "<polygon points=\"\(path(points))\" fill=\"\(colour)\" fill-opacity=\"0.25\"/>"
  }

  private static func path(_ points: [(Double, Double)]) -> String {
    points.map { "\(fixed($0.0, 1)),\(fixed($0.1, 1))" }.joined(separator: " ")
  }

  static func dot(_ x: Double, _ y: Double, _ colour: String, title: String) -> String {
    "<circle cx=\"\(fixed(x, 1))\" cy=\"\(fixed(y, 1))\" r=\"3.5\" fill=\"\(colour)\">"
      + "<title>\(escaped(title))</title></circle>"
  }

  /// Many small dots as one path, whose style says how large they are.
  static func dots(_ points: [(Double, Double)], _ kind: String, _ colour: String? = nil) -> String
  {
    let path = points.map { "M\(fixed($0.0, 1)) \(fixed($0.1, 1))h0" }.joined()
    return "<path class=\"\(kind)\" d=\"\(path)\""
      + (colour.map { " stroke=\"\($0)\"" } ?? "") + "/>"
  }

  /// A table that scrolls by itself on a phone.
  static func table(_ id: String, _ head: [String], _ lines: [String]) -> String {
    """
    <div class="scroll"><table id="\(id)"><thead><tr>\(head.map { "<th>\($0)</th>" }.joined())\
    </tr></thead>
    <tbody>\(lines.joined(separator: "\n"))</tbody></table></div>
    """
  }

  static func box(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ colour: String,
    opacity: Double = 1, title: String = ""
  ) -> String {
    "<rect x=\"\(fixed(x, 1))\" y=\"\(fixed(y, 1))\" width=\"\(fixed(width, 1))\" "
      + "height=\"\(fixed(height, 1))\" fill=\"\(colour)\" fill-opacity=\"\(fixed(opacity, 3))\">"
      + (title.isEmpty ? "" : "<title>\(escaped(title))</title>") + "</rect>"
  }

  /// A horizontal grid line.
  static func rule(_ left: Double, _ right: Double, _ y: Double) -> String {
    "<line class=\"grid\" x1=\"\(fixed(left, 1))\" x2=\"\(fixed(right, 1))\" y1=\"\(fixed(y, 1))\" "
      + "y2=\"\(fixed(y, 1))\"/>"
  }

  static func text(
    _ x: Double, _ y: Double, _ text: String, anchor: String = "start", _ kind: String = ""
  ) -> String {
    "<text x=\"\(fixed(x, 1))\" y=\"\(fixed(y, 1))\" text-anchor=\"\(anchor)\" class=\"\(kind)\">"
      + "\(escaped(text))</text>"
  }

  /// The step (1, 2 or 5 times a power of ten) that divides a range into a few parts.
  static func step(_ largest: Double) -> Double {
    let raw = max(largest, 1e-12) / 4
    let power = pow(10, log10(raw).rounded(.down))
    return ([1.0, 2, 5, 10].first { $0 * power >= raw } ?? 10) * power
  }
}
