import VDSQFormat
package import VDSQTraining

/// The page of `vdsq categories`: the categories' regions in two dimensions, their figures, and the
/// items to look at.
package struct CategoriesPage: Page {
  let title: String
  let report: CategoriesReport

  /// How many categories have a picture of their own, and how many items are listed.
  private static let pictured = 12
  private static let listed = 200
  /// The number of dots behind a region.
  private static let dots = 1500

  package init(title: String, report: CategoriesReport) {
    self.title = title
    self.report = report
  }

  private var map: CategoryMap { report.map }

  private static let style = """
    svg .others { stroke: var(--line); stroke-width: 2.4; stroke-linecap: round; }
    svg .members { stroke-width: 4; stroke-linecap: round; stroke-opacity: .7; }
    figure { margin: 0; } figcaption { color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
    #items td:last-child { white-space: normal; text-align: left; min-width: 18rem; }
    #items th:last-child, #categories th:last-child, #categories td:last-child { text-align: left; }
    #items th:nth-child(-n+4), #items td:nth-child(-n+4) { text-align: left; }
    #categories th:nth-child(2), #categories td:nth-child(2) { text-align: right; }
    """

  package var html: String {
    let shares = map.plane.shares
    let pictured = pictured
    var parts = [
      "<h1>\(title.inHTML)</h1>",
      "<p>\(counted(report.texts.count, "item")) in \(categoryCount(map.categories.count)). "
        + "The pictures show the first two principal components of all items "
        + "(\(percent(shares.x)) and \(percent(shares.y)) of the variance). A region is the convex "
        + "hull of a category's items there; circles are items that another category claims or that "
        + "lie outside. Distances below are those in all dimensions.</p>",
      "<h2>Regions</h2>",
      "<div class=\"small\">\(pictured.map(picture).joined(separator: "\n"))</div>",
    ]
    if pictured.count < map.categories.count {
      parts.append(
        "<p>These are the \(pictured.count) categories with the most items to look at.</p>")
    }
    parts += ["<h2>Categories</h2>", categories]
    parts.append("<h2>Items to look at</h2>")
    if map.doubts.isEmpty {
      parts.append("<p>None.</p>")
    } else {
      parts += [
        "<p>moves: the other category claims the item with a reconsideration probability (RP) of "
          + "\(fixed(Double(map.options.probability), 0)) or more, and its centre is closer than "
          + "that of its own category. outlies: the RP of its own category is lower than that. hull: "
          + "the distance to the convex hull of the category's items in all dimensions. near: how many of the "
          + "\(map.options.neighbours) nearest items have that label.</p>",
        items,
      ]
      if map.doubts.count > Self.listed {
        parts.append("<p>The first \(Self.listed) of \(map.doubts.count).</p>")
      }
    }
    return SVG.page(title, parts.joined(separator: "\n"), style: Self.style)
  }

  private func categoryCount(_ count: Int) -> String {
    count == 1 ? "1 category" : "\(count) categories"
  }

  private func percent(_ share: Float) -> String { fixed(100 * Double(share), 1) + "%" }

  /// The categories with the most doubtful items, in the order of the list.
  private var pictured: [Int] {
    var doubts = [Int](repeating: 0, count: map.categories.count)
    for doubt in map.doubts where doubt.reason != .fits {
      doubts[map.owners[doubt.item.item]] += 1
      if doubt.reason == .moves, let other = doubt.item.other { doubts[other.category] += 1 }
    }
    return map.categories.indices.sorted { (-doubts[$0], $0) < (-doubts[$1], $1) }
      .prefix(Self.pictured).sorted()
  }

  private func picture(_ index: Int) -> String {
    let category = map.categories[index]
    let (width, height) = (300.0, 220.0)
    let points = map.plane.points
    func scale(_ all: [Float], _ size: Double) -> (Float) -> Double {
      let (low, high) = (Double(all.min() ?? 0), Double(all.max() ?? 1))
      return { 8 + (size - 16) * (Double($0) - low) / max(high - low, 1e-12) }
    }
    let (across, up) = (scale(points.map(\.x), width), scale(points.map(\.y), height))
    func place(_ point: (x: Float, y: Float)) -> (Double, Double) {
      (across(point.x), height - up(point.y))
    }
    let members = category.members.map { points[$0] }
    var body = SVG.dots(points.evenly(atMost: Self.dots).map(place), "others")
    body += SVG.area(PrincipalPlane.hull(members).map(place), SVG.colours[0])
    body += SVG.dots(members.evenly(atMost: Self.dots).map(place), "members", SVG.colours[0])
    for doubt in map.doubts
    where doubt.reason != .fits && map.owners[doubt.item.item] == index {
      let (x, y) = place(points[doubt.item.item])
      let row = report.row(doubt)
      body += SVG.dot(
        x, y, SVG.colours[1], title: "line \(row[1]): \(doubt.reason.rawValue), \(row[3])")
    }
    return "<figure>\(SVG.picture(width, height, "the region of \(category.name)", body))"
      + "<figcaption>\(category.name.inHTML), \(counted(category.members.count, "item"))"
      + "</figcaption></figure>"
  }

  private var categories: String {
    let lines = map.categories.map { category in
      let nearest = category.neighbours.map {
        "\(map.categories[$0.category].name.inHTML) \(fixed(Double($0.distance), 3))"
      }
      let numbers = [
        "\(category.members.count)", CategoriesReport.number(category.filter?.radius),
        CategoriesReport.number(category.filter?.median), "\(category.candidates)",
        nearest.joined(separator: ", "),
      ].map { "<td>\($0)</td>" }
      return "<tr><td style=\"padding-left: \(category.depth)rem\">\(category.name.inHTML)</td>"
        + numbers.joined() + "</tr>"
    }
    return SVG.table(
      "categories", ["category", "items", "radius", "outside", "candidates", "nearest"], lines)
  }

  private var items: String {
    SVG.table(
      "items", CategoriesReport.columns,
      map.doubts.prefix(Self.listed).map { doubt in
        "<tr>" + report.row(doubt).map { "<td>\($0.inHTML)</td>" }.joined() + "</tr>"
      })
  }
}
