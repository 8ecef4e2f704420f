/// A hierarchy of items by average linkage (Sokal and Michener 1958): the two clusters whose
/// members are closest on average are joined, until one is left.
package struct Dendrogram: Sendable {
  /// Two clusters that were joined. Clusters below `count` are items; cluster `count + i` is that
  /// of join i.
  package struct Join: Sendable, Equatable {
    package let first, second: Int
    /// The mean distance of their members.
    package let height: Double
  }

  /// The number of items.
  package let count: Int
  /// The joins, in their order.
  package let joins: [Join]
  /// The items in an order in which every cluster is a range.
  package let order: [Int]

  /// - Parameter distances: symmetric, `[count][count]`. Takes time in proportion to `count^3`.
  package init(_ distances: [[Double]]) {
    let count = distances.count
    var members = (0..<count).map { [$0] }
    var live = Array(0..<count)
    /// Sums of distances between the members of two clusters.
    var sums = distances
    var joins: [Join] = []
    while live.count > 1 {
      var best = (first: 0, second: 1, height: Double.infinity)
      for i in live.indices {
        for j in live.indices where j > i {
          let (a, b) = (live[i], live[j])
          let height = sums[a][b] / Double(members[a].count * members[b].count)
          if height < best.height { best = (i, j, height) }
        }
      }
      let (a, b) = (live[best.first], live[best.second])
      joins.append(Join(first: a, second: b, height: best.height))
      members.append(members[a] + members[b])
      let row = sums.indices.map { sums[a][$0] + sums[b][$0] }
      for i in sums.indices { sums[i].append(row[i]) }
      sums.append(row + [0])
      live.remove(at: best.second)
      live[best.first] = members.count - 1
    }
    self.count = count
    self.joins = joins
    order = members.last ?? []
  }
}
