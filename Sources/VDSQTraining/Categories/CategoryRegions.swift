import VDSQInference

/// Centres, filters and distances of categories. The distances of all items to sixteen centres are
/// in memory at a time.
struct CategoryRegions {
  /// `[categories, dimensions]`.
  private let centres: [Float]
  /// Nil for a category of a single item, or of all.
  let filters: [ReconsiderationFilter?]
  /// The number of items that the category claims more than their own does.
  let candidates: [Int]
  /// One for each item.
  let items: [CategorizedItem]

  private let tree: CategoryTree
  private let dimensions: Int
  static let together = 16

  init(
    _ tree: CategoryTree, _ states: CentredStates, targets: [Int], _ options: CategoryMap.Options,
    arithmetic: MatrixArithmetic
  ) {
    self.tree = tree
    let d = states.dimensions, count = states.count
    dimensions = d
    centres = tree.nodes.flatMap { states.centre(of: $0.members) }
    var filters = [ReconsiderationFilter?](repeating: nil, count: tree.nodes.count)
    var own = [CategorizedItem.Place?](repeating: nil, count: count)
    var other = own
    for first in stride(from: 0, to: tree.nodes.count, by: Self.together) {
      let nodes = first..<min(first + Self.together, tree.nodes.count)
      let distances = Self.distances(
        states, Array(centres[nodes.lowerBound * d..<nodes.upperBound * d]), arithmetic)
      for (column, node) in nodes.enumerated() {
        let members = tree.nodes[node].members
        guard members.count > 1, members.count < count else { continue }
        var distance = (0..<count).map { distances[$0 * nodes.count + column] }
        // The centre of the others is as much further away.
        let leftOut = Float(members.count) / Float(members.count - 1)
        var isMember = [Bool](repeating: false, count: count)
        for item in members {
          isMember[item] = true
          distance[item] *= leftOut
        }
        let filter = ReconsiderationFilter(
          members: members.map { distance[$0] },
          outside: (0..<count).filter { !isMember[$0] }.map { distance[$0] }, rule: options.radius)
        filters[node] = filter
        for item in 0..<count {
          let place = CategorizedItem.Place(
            category: node, distance: distance[item],
            probability: filter.probability(distance[item]))
          if tree.owners[targets[item]] == node {
            own[item] = place
          } else if !isMember[item], tree.nodes[node].isLabel,
            place.distance < other[item]?.distance ?? .infinity
          {
            other[item] = place
          }
        }
      }
    }
    self.filters = filters
    items = (0..<count).map { CategorizedItem(item: $0, own: own[$0], other: other[$0]) }
    var candidates = [Int](repeating: 0, count: tree.nodes.count)
    for item in items where item.moves(at: options.probability) {
      candidates[item.other!.category] += 1
    }
    self.candidates = candidates
  }

  /// `[items, centres]`.
  private static func distances(
    _ states: CentredStates, _ centres: [Float], _ arithmetic: MatrixArithmetic
  ) -> [Float] {
    let d = states.dimensions
    let packed = arithmetic.packed(centres, rows: centres.count / d, columns: d)
    let columns = packed.rows
    let squares = (0..<columns).map { square(centres, $0, d) }
    var all = [Float](repeating: 0, count: states.count * columns)
    all.withUnsafeMutableBufferPointer { all in
      states.forEachBlock { first, count, rows in
        let products = all.baseAddress! + first * columns
        arithmetic.multiply(rows, rows: count, packed, products)
        for row in 0..<count {
          var own: Float = 0
          arithmetic.kernels.dotRows(rows + row * d, rows + row * d, 1, d, &own)
          for column in 0..<columns {
            let place = row * columns + column
            products[place] = max(0, own + squares[column] - 2 * products[place]).squareRoot()
          }
        }
      }
    }
    return all
  }

  private static func square(_ rows: [Float], _ row: Int, _ d: Int) -> Float {
    (row * d..<(row + 1) * d).reduce(0) { $0 + rows[$1] * rows[$1] }
  }

  /// The categories whose centres are closest to that of a category, none of which contains the
  /// other.
  func neighbours(of node: Int, _ count: Int) -> [Category.Neighbour] {
    let d = dimensions
    let apart = tree.nodes.indices.filter { !tree.areNested(node, $0) }
    let near = apart.map { other in
      let square = (0..<d).reduce(Float(0)) {
        let difference = centres[node * d + $1] - centres[other * d + $1]
        return $0 + difference * difference
      }
      return Category.Neighbour(category: other, distance: square.squareRoot())
    }
    return Array(
      near.sorted { ($0.distance, $0.category) < ($1.distance, $1.category) }.prefix(count))
  }
}
