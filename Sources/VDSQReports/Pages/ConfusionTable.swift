import VDSQTraining

/// A confusion matrix as an HTML table: names of columns and rows stay in view while it scrolls,
/// so that it is readable with many labels and on a phone. It comes with the most frequent
/// confusions as a list.
struct ConfusionTable {
  let names: [String]
  /// `[labels][labels]`, true labels by rows.
  let counts: [[Int]]

  init(_ row: EvaluationRow) {
    names = row.names
    counts = row.confusion
  }

  /// How many confusions are listed.
  private static let listed = 20

  static let style = """
    :root { --cell: light-dark(#f2f1ed, #242422); --right: light-dark(#74add6, #2b6a9b);
      --wrong: light-dark(#f3a76b, #a04e17); }
    .matrix { overflow: auto; max-height: 90vh; width: max-content; position: relative;
      left: 50%; transform: translateX(-50%); max-width: calc(100vw - 2rem); }
    .matrix table { border-collapse: separate; border-spacing: 1px; font-size: 11px; }
    .matrix th, .matrix td { padding: 0; border: 0; font-weight: normal; }
    .matrix td { min-width: 1.9em; height: 1.9em; text-align: center; background: var(--cell); }
    .matrix td.right { background: color-mix(in oklab, var(--right) var(--share), var(--cell)); }
    .matrix td.wrong { background: color-mix(in oklab, var(--wrong) var(--share), var(--cell)); }
    .matrix thead th { position: sticky; top: 0; z-index: 1; background: var(--page);
      vertical-align: bottom; text-align: center; padding-bottom: .3em; }
    .matrix thead th span { display: inline-block; writing-mode: vertical-rl; line-height: 1.2;
      transform: rotate(180deg); max-height: 18em; overflow: hidden; text-overflow: ellipsis; }
    .matrix tbody th { position: sticky; left: 0; background: var(--page); text-align: right;
      max-width: min(24em, 34vw); overflow: hidden; text-overflow: ellipsis; padding-right: .5em; }
    .matrix thead th:first-child { left: 0; z-index: 2; text-align: right; padding-right: .5em;
      color: var(--soft); max-width: min(24em, 34vw); white-space: normal; }
    #confusions td { white-space: normal; overflow-wrap: anywhere; padding: .15rem .4rem; }
    .matrix tr:hover th, .matrix td:hover { text-decoration: underline; }
    """

  var html: String {
    let head = names.map {
      "<th scope=\"col\" title=\"\($0.inHTML)\"><span>\($0.inHTML)</span></th>"
    }
    let lines = counts.enumerated().map { i, line in
      let total = max(1, line.reduce(0, +))
      let cells = line.enumerated().map { cell(i, $0, $1, of: total) }
      return "<tr><th scope=\"row\" title=\"\(names[i].inHTML)\">\(names[i].inHTML)</th>"
        + cells.joined() + "</tr>"
    }
    return """
      <div class="matrix" tabindex="0"><table aria-label="confusion matrix">
      <thead><tr><th>true \u{2193} predicted \u{2192}</th>\(head.joined())</tr></thead>
      <tbody>\(lines.joined(separator: "\n"))</tbody></table></div>
      """
  }

  private func cell(_ row: Int, _ column: Int, _ count: Int, of total: Int) -> String {
    guard count > 0 else { return "<td></td>" }
    let share = Double(count) / Double(total)
    // The square root shows small shares, which many labels divide the errors into.
    let depth = fixed(100 * share.squareRoot(), 0)
    let title =
      "\(names[row]) predicted as \(names[column]): \(fixed(share * 100, 1))%, \(count) of \(total)"
    return "<td class=\"\(row == column ? "right" : "wrong")\" style=\"--share: \(depth)%\" "
      + "title=\"\(title.inHTML)\">\(fixed(share * 100, 0))</td>"
  }

  /// The most frequent wrong answers; nil if there is none.
  var confusions: String? {
    let wrong = names.indices.flatMap { row in
      names.indices.filter { $0 != row && counts[row][$0] > 0 }.map { (row, $0) }
    }.sorted { (counts[$0.0][$0.1], $1.0, $1.1) > (counts[$1.0][$1.1], $0.0, $0.1) }
    guard !wrong.isEmpty else { return nil }
    let lines = wrong.prefix(Self.listed).map { row, column in
      let count = counts[row][column]
      let share = Double(count) / Double(max(1, counts[row].reduce(0, +)))
      return "<tr><td>\(names[row].inHTML)</td><td>\(names[column].inHTML)</td><td>\(count)</td>"
        + "<td>\(fixed(share * 100, 1))%</td></tr>"
    }
    return """
      <div class="scroll"><table id="confusions"><thead><tr><th>true</th><th>predicted</th>\
      <th>texts</th><th>of the label</th></tr></thead>
      <tbody>\(lines.joined(separator: "\n"))</tbody></table></div>
      """
  }
}

extension String {
  /// The text in HTML, and in an attribute's double quotes.
  var inHTML: String { SVG.escaped(self) }
}
