package import VDSQStreams
package import VDSQTraining

/// Categories as regions, and the items that a person should look at, as `vdsq categories` lists
/// them.
package struct CategoriesReport: Report {
  let map: CategoryMap
  let texts: [Examples.Example]

  /// - Parameter texts: the items of the map.
  package init(_ map: CategoryMap, of texts: [Examples.Example]) {
    self.map = map
    self.texts = texts
  }

  package var text: String {
    let names = map.categories.map { String(repeating: "  ", count: $0.depth) + $0.name }
    let width = names.map(\.count).max() ?? 0
    var lines = [
      "\(padded("category", width)) \(rightAligned("items", 7)) \(rightAligned("radius", 8)) "
        + "\(rightAligned("outside", 8)) \(rightAligned("candidates", 10))  nearest"
    ]
    for (name, category) in zip(names, map.categories) {
      let nearest = category.neighbours.map {
        "\(map.categories[$0.category].name) \(fixed(Double($0.distance), 3))"
      }
      lines.append(
        "\(padded(name, width)) \(rightAligned("\(category.members.count)", 7)) "
          + "\(rightAligned(Self.number(category.filter?.radius), 8)) "
          + "\(rightAligned(Self.number(category.filter?.median), 8)) "
          + "\(rightAligned("\(category.candidates)", 10))  \(nearest.joined(separator: ", "))")
    }
    guard !map.doubts.isEmpty else { return lines.joined(separator: "\n") }
    lines += ["", Self.columns.joined(separator: "\t")]
    return (lines + map.doubts.map { row($0).joined(separator: "\t") }).joined(separator: "\n")
  }

  /// The names of the columns of an item.
  static let columns = [
    "reason", "line", "label", "other", "RP", "own RP", "hull", "own hull", "near", "own near",
    "log-odds", "text",
  ]

  /// What the columns of an item say.
  func row(_ doubt: CategoryDoubt) -> [String] {
    let item = doubt.item
    return [
      doubt.reason.rawValue, "\(line(item.item))", texts[item.item].label,
      item.other.map { map.categories[$0.category].name } ?? "-",
      Self.number(item.other?.probability, 1), Self.number(item.own?.probability, 1),
      Self.number(doubt.otherHull), Self.number(doubt.ownHull),
      "\(doubt.otherNeighbours)", "\(doubt.ownNeighbours)", Self.number(doubt.logOdds, 2),
      texts[item.item].oneLine,
    ]
  }

  /// The line in which an item begins.
  private func line(_ item: Int) -> Int { texts[item].origin?.line ?? item + 1 }

  static func number(_ value: Float?, _ decimals: Int = 3) -> String {
    value.map { fixed(Double($0), decimals) } ?? "-"
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("items", texts.count)
      json.member("radius_rule", map.options.radius.rawValue)
      json.member("threshold", map.options.probability)
      json.key("categories")
      json.array { for category in map.categories { write(category, to: json) } }
      json.key("reconsidered")
      json.array { for doubt in map.doubts { write(doubt, to: json) } }
    }
  }

  private func write(_ category: Category, to json: JSONWriter) {
    json.object {
      json.member("category", category.name)
      json.member("depth", category.depth)
      json.member("items", category.members.count)
      json.member("radius", category.filter?.radius)
      json.member("outside_median", category.filter?.median)
      json.member("decay", category.filter?.decay)
      json.member("separates", category.filter?.separates)
      json.member("candidates", category.candidates)
      json.key("nearest")
      json.array {
        for near in category.neighbours {
          json.object {
            json.member("category", map.categories[near.category].name)
            json.member("distance", near.distance)
          }
        }
      }
    }
  }

  private func write(_ doubt: CategoryDoubt, to json: JSONWriter) {
    let item = doubt.item
    json.object {
      json.member("reason", doubt.reason.rawValue)
      json.member("line", line(item.item))
      json.member("label", texts[item.item].label)
      json.member("other", item.other.map { map.categories[$0.category].name })
      json.member("score", item.score.isFinite ? item.score : nil)
      json.member("probability", item.other?.probability)
      json.member("own_probability", item.own?.probability)
      json.member("distance", item.other?.distance)
      json.member("own_distance", item.own?.distance)
      json.member("hull", doubt.otherHull)
      json.member("own_hull", doubt.ownHull)
      json.member("neighbours", doubt.otherNeighbours)
      json.member("own_neighbours", doubt.ownNeighbours)
      json.member("log_odds", doubt.logOdds)
      json.member("text", texts[item.item].text)
    }
  }
}
