import VDSQ
import VDSQInference

/// Describes doubtful items: their distances to convex hulls, and their nearest items by exact
/// search.
struct CategoryDoubts {
  private let states: CentredStates
  private let categories: [Category]
  private let owners: [Int]
  private let neighbours: Int
  private let arithmetic: MatrixArithmetic

  init(
    _ states: CentredStates, categories: [Category], owners: [Int], _ options: CategoryMap.Options,
    arithmetic: MatrixArithmetic
  ) {
    self.states = states
    self.categories = categories
    self.owners = owners
    self.arithmetic = arithmetic
    neighbours = options.neighbours
  }

  func describe(
    _ listed: [(item: CategorizedItem, reason: CategoryDoubt.Reason)], logOdds: [Float]?
  ) -> [CategoryDoubt] {
    let own = hulls(listed.map { ($0.item.item, owners[$0.item.item]) })
    let others = hulls(listed.map { ($0.item.item, $0.item.other?.category) })
    let nearest = nearest(listed.map(\.item.item))
    return listed.indices.map { i in
      let item = listed[i].item
      return CategoryDoubt(
        item: item, reason: listed[i].reason, ownHull: own[i], otherHull: others[i],
        ownNeighbours: nearest[i].count { owners[$0] == owners[item.item] },
        otherNeighbours: nearest[i].count { owners[$0] == item.other?.category },
        logOdds: logOdds?[item.item])
    }
  }

  /// The distance of each item to the hull of a category, without the item itself. The vertices of
  /// one category are in memory at a time.
  private func hulls(_ wanted: [(item: Int, category: Int?)]) -> [Float?] {
    let d = states.dimensions
    let found = Floats(wanted.count)
    for i in wanted.indices { found.p[i] = .nan }
    for (category, places) in Dictionary(grouping: wanted.indices, by: { wanted[$0].category }) {
      guard let category else { continue }
      let members = categories[category].members
      let hull = HullDistance(states.gathered(members), dimensions: d, arithmetic.kernels)
      let points = states.gathered(places.map { wanted[$0].item })
      let place = Dictionary(uniqueKeysWithValues: zip(members, members.indices))
      // A search takes some hundred products with all vertices.
      arithmetic.together(multiplications: 100 * places.count * members.count * d) { worker in
        for i in worker.share(of: places.count) {
          let leftOut = place[wanted[places[i]].item]
          if let distance = hull.distance(of: points.p + i * d, leavingOut: leftOut) {
            found.p[places[i]] = distance
          }
        }
      }
    }
    return wanted.indices.map { found.p[$0].isNaN ? nil : found.p[$0] }
  }

  /// The nearest items of each item, best first, without itself.
  private func nearest(_ items: [Int]) -> [[Int]] {
    let d = states.dimensions
    var found = [TopRanking<Int>](
      repeating: TopRanking(capacity: neighbours), count: items.count)
    for first in stride(from: 0, to: items.count, by: 128) {
      let own = first..<min(first + 128, items.count)
      let points = states.gathered(items[own])
      let packed = withExtendedLifetime(points) {
        arithmetic.packed(points.p, rows: own.count, columns: d)
      }
      let products = Floats(PackedMatrix.blockLength * own.count)
      states.forEachBlock { start, count, rows in
        arithmetic.multiply(rows, rows: count, packed, products.p)
        for row in 0..<count {
          var square: Float = 0
          arithmetic.kernels.dotRows(rows + row * d, rows + row * d, 1, d, &square)
          for (column, i) in own.enumerated() where items[i] != start + row {
            // Less the squared distance, without the part that is the item's own.
            found[i].add(
              start + row, score: 2 * products.p[row * own.count + column] - square)
          }
        }
      }
    }
    return found.map { $0.entries.map(\.element) }
  }
}
