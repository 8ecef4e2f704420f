import VDSQFormat
package import VDSQTraining

/// The page of `vdsq tasks`: the transfer matrix in the order of the dendrogram, the dendrogram
/// beside it, and the map.
package struct TasksPage: Page {
  let title: String
  let space: TaskSpace
  let exact: ExactTransfer?
  private let tree: Dendrogram
  private let groups: [String]

  package init(title: String, _ space: TaskSpace, exact: ExactTransfer?) {
    (self.title, self.space, self.exact) = (title, space, exact)
    tree = Dendrogram(TaskMap.distances(space))
    var groups: [String] = []
    for task in space.tasks {
      if let group = task.group, !groups.contains(group) { groups.append(group) }
    }
    self.groups = groups
  }

  package var html: String {
    var parts = [
      """
      <h1>\(title.inHTML)</h1>
      <p>A row is a step for one task: \(space.masks.first?.count ?? 0) entries of the down \
      projections of layers \(space.layers.map { "\($0 + 1)" }.joined(separator: ", ")). A cell is \
      the change of another task's mean loss difference, in nats, to first order. Blue helps, orange \
      hurts.</p>
      <h2>Transfer</h2>
      \(matrix(space.transfer, "transfer"))
      """
    ]
    if let exact {
      parts.append(
        """
        <h2>Transfer as measured</h2>
        <p>The rank correlation with the matrix above is \(fixed(exact.rankCorrelation, 3)), and \
        \(fixed(exact.rankCorrelationOfOthers, 3)) between different tasks.</p>
        \(matrix(exact.transfer, "measured transfer"))
        """)
    }
    let map = TaskMap.coordinates(space)
    parts.append(
      """
      <h2>Map</h2>
      <p>Tasks are close if their steps are alike. The plane has \(fixed(100 * map.share, 0))% of \
      the variance. Where names would cover each other, they are titles of the dots.</p>
      \(picture(map))
      """)
    return SVG.page(
      title, parts.joined(separator: "\n"),
      style: "svg .tree { stroke: var(--soft); fill: none; } svg .small-text { font-size: 10px; }")
  }

  private func colour(_ task: Int) -> String {
    guard let group = space.tasks[task].group, let place = groups.firstIndex(of: group) else {
      return SVG.colours[0]
    }
    return groupColour(place)
  }

  private func matrix(_ values: [[Double]], _ name: String) -> String {
    let order = tree.order, n = order.count
    let cell = n > 30 ? 11.0 : 18, longest = space.tasks.map(\.name.count).max() ?? 0
    let names = min(6 * Double(longest), 300) + 10
    let (treeWidth, top) = (90.0, names)
    let left = treeWidth + names
    let (width, height) = (left + cell * Double(n) + 8, top + cell * Double(n) + 8)
    let largest = values.flatMap(\.self).map(\.magnitude).max() ?? 1
    var body = branches(top: top, cell: cell, width: treeWidth - 6)
    for (row, a) in order.enumerated() {
      let y = top + cell * Double(row)
      body += SVG.text(left - 4, y + cell - 2, space.tasks[a].name, anchor: "end", "small-text")
      let x = left + cell * Double(row) + cell - 2
      body +=
        "<text class=\"small-text\" transform=\"translate(\(fixed(x, 1)) \(fixed(top - 4, 1))) "
        + "rotate(-90)\">\(SVG.escaped(space.tasks[a].name))</text>"
      for (column, b) in order.enumerated() {
        let value = values[a][b]
        body += SVG.box(
          left + cell * Double(column), y, cell - 1, cell - 1, SVG.colours[value < 0 ? 0 : 1],
          opacity: max(0.04, (value.magnitude / max(largest, 1e-30)).squareRoot()),
          title: "\(space.tasks[a].name) on \(space.tasks[b].name): \(signed(value))")
      }
    }
    return SVG.picture(width, height, name, body)
  }

  /// The dendrogram, with its leaves at the right.
  private func branches(top: Double, cell: Double, width: Double) -> String {
    let highest = max(tree.joins.map(\.height).max() ?? 1, 1e-9)
    var places = [(x: Double, y: Double)](repeating: (width, 0), count: tree.count)
    for (row, item) in tree.order.enumerated() {
      places[item] = (width, top + cell * (Double(row) + 0.5))
    }
    var body = ""
    for join in tree.joins {
      let (a, b) = (places[join.first], places[join.second])
      let x = width * (1 - max(0, join.height) / highest) + 2
      body +=
        "<path class=\"tree\" d=\"M\(fixed(a.x, 1)) \(fixed(a.y, 1))H\(fixed(x, 1))V\(fixed(b.y, 1))"
        + "H\(fixed(b.x, 1))\"><title>distance \(fixed(join.height, 3))</title></path>"
      places.append((x, (a.y + b.y) / 2))
    }
    return body
  }

  private func picture(_ map: PrincipalCoordinates) -> String {
    let xs = map.points.map(\.x), ys = map.points.map(\.y)
    let span = max(
      (xs.max() ?? 1) - (xs.min() ?? 0), (ys.max() ?? 1) - (ys.min() ?? 0), 1e-9)
    let (side, margin) = (520.0, 20.0)
    var body = ""
    // A name is left out where it would cover another one; its dot has it as a title.
    var named: [(left: Double, right: Double, y: Double)] = []
    for (i, point) in map.points.enumerated() {
      let x = margin + (point.x - (xs.min() ?? 0)) / span * side
      let y = margin + ((ys.max() ?? 0) - point.y) / span * side
      let task = space.tasks[i]
      body += SVG.dot(
        x, y, colour(i), title: task.group.map { "\(task.name) (\($0))" } ?? task.name)
      let isRight = x > side * 0.7
      let width = 5.8 * Double(task.name.count) + 6
      let own = (left: isRight ? x - width : x, right: isRight ? x : x + width, y: y)
      guard
        !named.contains(where: {
          $0.left < own.right && own.left < $0.right && ($0.y - own.y).magnitude < 10
        })
      else { continue }
      named.append(own)
      body += SVG.text(
        x + (isRight ? -6 : 6), y + 3.5, task.name, anchor: isRight ? "end" : "start", "small-text")
    }
    let height = ((ys.max() ?? 1) - (ys.min() ?? 0)) / span * side + 2 * margin + 12
    for (i, group) in groups.enumerated() {
      let y = height + 16 * Double(i)
      body += SVG.dot(margin, y, groupColour(i), title: group)
      body += SVG.text(margin + 10, y + 4, group, "name")
    }
    return SVG.picture(
      side + 160, height + 16 * Double(groups.count) + 8, "map of tasks", body)
  }

  /// Hues all around, where there are more groups than colours.
  private func groupColour(_ group: Int) -> String {
    guard groups.count > SVG.colours.count else { return SVG.colours[group] }
    let hue = 360 * group / groups.count
    return "hsl(\(hue), 65%, \(group % 2 == 0 ? 45 : 62)%)"
  }
}
