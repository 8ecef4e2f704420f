/// Tokens that may follow a text, as a tree. Paths with the same first tokens share them, and all
/// of them share the text, so that a model reads everything once.
package struct TokenTree: Sendable {
  /// A token, and the token that it follows.
  package struct Node: Sendable, Equatable {
    package let id: Int32
    /// The node before, whose index is lower; nil if the token follows the text.
    package let parent: Int?
  }

  /// The numbers that memory is planned for.
  package struct Size: Sendable {
    /// The number of nodes.
    package var nodes = 0
    /// The number of tokens of the longest path.
    package var depth = 0

    /// The size of no tree.
    package init() {}

    /// Whether memory for this size suffices for another.
    package func holds(_ other: Size) -> Bool { other.nodes <= nodes && other.depth <= depth }
  }

  /// The nodes, each behind the one that it follows.
  package private(set) var nodes: [Node] = []
  /// The size of the tree.
  package private(set) var size = Size()

  /// A tree without nodes.
  package init() {}

  /// Adds a path of tokens that follow the text.
  ///
  /// - Returns: the node of each token.
  @discardableResult
  package mutating func insert(_ path: some Collection<Int32>) -> [Int] {
    var found: [Int] = []
    for id in path {
      let node = Node(id: id, parent: found.last)
      if let known = nodes.firstIndex(where: { $0 == node }) {
        found.append(known)
      } else {
        found.append(nodes.count)
        nodes.append(node)
      }
    }
    size.nodes = nodes.count
    size.depth = max(size.depth, found.count)
    return found
  }
}
