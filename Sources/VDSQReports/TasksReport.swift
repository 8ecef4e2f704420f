import VDSQFormat
package import VDSQStreams
package import VDSQTraining

/// The result of `vdsq tasks`.
package struct TasksReport: Report {
  let space: TaskSpace
  let exact: ExactTransfer?
  /// The duration.
  let seconds: Double

  package init(_ space: TaskSpace, exact: ExactTransfer?, seconds: Double) {
    (self.space, self.exact, self.seconds) = (space, exact, seconds)
  }

  package var text: String {
    let width = space.tasks.map(\.name.count).max() ?? 0
    var lines = [
      "\(padded("task", width)) \(rightAligned("pairs", 5)) \(rightAligned("gradient", 9)) "
        + "\(rightAligned("own", 8))  \(padded("helps most", width + 9)) hurts most"
    ]
    for (i, task) in space.tasks.enumerated() {
      let others = space.tasks.indices.filter { $0 != i }
      let order = others.sorted { space.transfer[i][$0] < space.transfer[i][$1] }
      func other(_ place: Int?, _ isWanted: (Double) -> Bool) -> String {
        guard let place, isWanted(space.transfer[i][place]) else { return "-" }
        return "\(signed(space.transfer[i][place])) \(space.tasks[place].name)"
      }
      lines.append(
        "\(padded(task.name, width)) \(rightAligned("\(task.pairs)", 5)) "
          + "\(rightAligned(significant(task.norm), 9)) "
          + "\(rightAligned(signed(space.transfer[i][i]), 8))  "
          + "\(padded(other(order.first) { $0 < 0 }, width + 9)) \(other(order.last) { $0 > 0 })")
    }
    if let exact {
      lines.append(
        "rank correlation of the first order with exact steps: \(fixed(exact.rankCorrelation, 3)), "
          + "\(fixed(exact.rankCorrelationOfOthers, 3)) between different tasks")
    }
    lines.append(
      "layers \(space.layers.map { "\($0 + 1)" }.joined(separator: ",")), "
        + "\(space.masks.first?.count ?? 0) entries of a gradient, "
        + "\(fixed(seconds, 1)) s")
    return lines.joined(separator: "\n")
  }

  package func write(to json: JSONWriter) {
    let tree = Dendrogram(TaskMap.distances(space))
    let map = TaskMap.coordinates(space)
    json.object {
      json.member("layers", space.layers.map { $0 + 1 })
      json.member("mask_entries", space.masks.first?.count ?? 0)
      json.member("weight_norm", space.weightNorm)
      json.key("tasks")
      json.array {
        for (task, point) in zip(space.tasks, map.points) {
          json.object {
            json.member("task", task.name)
            json.member("group", task.group)
            json.member("pairs", task.pairs)
            json.member("gradient_norm", task.norm)
            json.member("masked_norm", task.maskedNorm)
            json.member("rate", task.rate)
            json.member("map", [point.x, point.y])
          }
        }
      }
      json.member("transfer", space.transfer)
      json.member("similarity", space.similarity)
      json.key("dendrogram")
      json.array {
        for join in tree.joins {
          json.object {
            json.member("first", join.first)
            json.member("second", join.second)
            json.member("height", join.height)
          }
        }
      }
      json.member("order", tree.order)
      json.member("map_share", map.share)
      if let exact {
        json.key("exact")
        json.object {
          json.member("transfer", exact.transfer)
          json.member("accuracy_before", exact.accuracyBefore)
          json.member("accuracy", exact.accuracy)
          json.member("rank_correlation", exact.rankCorrelation)
          json.member("rank_correlation_between_tasks", exact.rankCorrelationOfOthers)
        }
      }
      json.member("seconds", seconds, decimals: 3)
    }
  }
}

/// The distances of tasks, from their similarities.
enum TaskMap {
  /// `1 - similarity`, for the dendrogram.
  static func distances(_ space: TaskSpace) -> [[Double]] {
    space.similarity.map { $0.map { 1 - $0 } }
  }

  /// The map: distances are those of vectors of length 1 with these products.
  static func coordinates(_ space: TaskSpace) -> PrincipalCoordinates {
    PrincipalCoordinates(space.similarity.map { $0.map { max(0, 2 - 2 * $0).squareRoot() } })
  }
}
