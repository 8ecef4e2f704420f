/// A category of items as a region of the latent space.
package struct Category: Sendable {
  /// The name of a label, or a path that names of labels begin with.
  package let name: String
  /// The number of names before it on its path.
  package let depth: Int
  /// The indices of its items, those of categories within it among them.
  package let members: [Int]
  /// The filter around its centre; nil if it has a single item, or all.
  package let filter: ReconsiderationFilter?
  /// The number of items of other labels that it claims, and more than their own categories do.
  package let candidates: Int
  /// The categories whose centres are closest, without those within it and around it.
  package let neighbours: [Neighbour]

  /// Another category.
  package struct Neighbour: Sendable {
    /// Its index.
    package let category: Int
    /// The distance of both centres.
    package let distance: Float
  }
}

/// An item as its own category, and another one, see it.
package struct CategorizedItem: Sendable {
  /// An item's distances to a category.
  package struct Place: Sendable {
    /// The category's index.
    package let category: Int
    /// The distance to the centre. Of an item's own category, it is the centre of the other items.
    package let distance: Float
    /// RP, from 0 to 100.
    package let probability: Float
  }

  /// The item's index.
  package let item: Int
  /// Nil if the item is the only one of its category.
  package let own: Place?
  /// The label whose centre is closest, of those that the item does not belong to; nil if there is
  /// none.
  package let other: Place?

  /// How much closer the other centre is than that of its own category; minus infinity without one
  /// of both. Distances tell wrong labels better than probabilities do, whose scale is that of each
  /// category (docs/categories.md).
  package var score: Float {
    guard let own, let other else { return -.infinity }
    return own.distance - other.distance
  }

  /// Whether the other category claims the item, and its centre is closer than that of its own.
  func moves(at threshold: Float) -> Bool {
    guard let other else { return false }
    return other.probability >= threshold && score > 0
  }
}

/// An item that a person should look at.
package struct CategoryDoubt: Sendable {
  /// Why the item is listed.
  package enum Reason: String, Sendable {
    /// `moves`: another category claims it, and its centre is closer. `outlies`: it lies beyond
    /// the region of its own category. `fits`: neither.
    case moves, outlies, fits
  }

  package let item: CategorizedItem
  package let reason: Reason
  /// Distances to the convex hulls of the other items of its category, and of the other category;
  /// nil where there is none.
  package let ownHull, otherHull: Float?
  /// How many of the nearest items have the label of this one, and how many that of the other
  /// category.
  package let ownNeighbours, otherNeighbours: Int
  /// The log-odds of its label against the best other one by an adapter that was trained without
  /// it; nil if none was.
  package let logOdds: Float?
}
