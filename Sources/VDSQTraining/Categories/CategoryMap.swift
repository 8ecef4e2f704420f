package import VDSQFormat
import VDSQInference

/// Categories of items as regions of the latent space, and the items that may be in the wrong one
/// (docs/categories.md; Bettouche, Safi and Fischer 2024, arXiv 2404.16442).
package struct CategoryMap: Sendable {
  /// How categories are made, and which items are listed.
  package struct Options: Sendable {
    /// What the radius of a category is.
    package var radius = ReconsiderationFilter.RadiusRule.mean
    /// The probability, from 0 to 100, at which items of other categories become candidates, and
    /// below which items of a category are outside.
    package var probability: Float = 50
    /// What stands between the names of a path; empty for no paths.
    package var separator = "/"
    /// The number of nearest items that are looked at.
    package var neighbours = 10
    /// Whether items that fit their category are listed too.
    package var listsAll = false
    /// The maximum number of listed items; nil for all.
    package var limit: Int?

    package init() {}
  }

  /// Parents before the categories within them.
  package let categories: [Category]
  /// The category of each item's label.
  package let owners: [Int]
  /// Listed items, most doubtful first.
  package let doubts: [CategoryDoubt]
  /// Items in two dimensions.
  package let plane: PrincipalPlane
  /// The options it was made with.
  package let options: Options

  /// The number of categories near a category that are kept.
  private static let keptNeighbours = 3

  /// - Parameters:
  ///   - examples: items with their labels. Intermediate features are left out.
  ///   - labels: the names of all labels.
  ///   - logOdds: for each item, the log-odds of its label by an adapter that was trained without
  ///     it; nil for none. With it, items are listed in the order of the mean of both ranks.
  /// - Throws: `usage` for fewer than two labels.
  package init(
    _ examples: Examples, labels: [String], logOdds: [Float]? = nil, options: Options = Options(),
    arithmetic: MatrixArithmetic
  ) throws(VDSQError) {
    guard Set(examples.targets).count > 1 else {
      throw .usage("categories are compared with each other; there is one label only")
    }
    let tree = CategoryTree(
      labels: labels, targets: examples.targets, separator: options.separator)
    let states = CentredStates(examples.features)
    let regions = CategoryRegions(
      tree, states, targets: examples.targets, options, arithmetic: arithmetic)
    categories = tree.nodes.indices.map { node in
      Category(
        name: tree.nodes[node].name, depth: tree.nodes[node].path.count - 1,
        members: tree.nodes[node].members, filter: regions.filters[node],
        candidates: regions.candidates[node],
        neighbours: regions.neighbours(of: node, Self.keptNeighbours))
    }
    owners = examples.targets.map { tree.owners[$0] }
    plane = PrincipalPlane(states, arithmetic: arithmetic)
    self.options = options
    let listed = Self.listed(regions.items, logOdds: logOdds, options)
    doubts = CategoryDoubts(
      states, categories: categories, owners: owners, options, arithmetic: arithmetic
    ).describe(listed, logOdds: logOdds)
  }

  /// The items to list, in order.
  private static func listed(
    _ items: [CategorizedItem], logOdds: [Float]?, _ options: Options
  ) -> [(item: CategorizedItem, reason: CategoryDoubt.Reason)] {
    let doubted: [(item: CategorizedItem, reason: CategoryDoubt.Reason)] = items.compactMap {
      if $0.moves(at: options.probability) { return ($0, .moves) }
      if let own = $0.own, own.probability < options.probability { return ($0, .outlies) }
      return options.listsAll ? ($0, .fits) : nil
    }
    let ranks = ranks(items.map { -$0.score })
    let places =
      if let logOdds { zip(ranks, Self.ranks(logOdds)).map { $0 + $1 } } else { ranks }
    let sorted = doubted.sorted {
      (places[$0.item.item], $0.item.item) < (places[$1.item.item], $1.item.item)
    }
    return Array(sorted.prefix(options.limit ?? sorted.count))
  }

  /// The place of each value among all, smallest first.
  private static func ranks(_ values: [Float]) -> [Int] {
    var ranks = [Int](repeating: 0, count: values.count)
    let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
    for (rank, index) in order.enumerated() { ranks[index] = rank }
    return ranks
  }
}
