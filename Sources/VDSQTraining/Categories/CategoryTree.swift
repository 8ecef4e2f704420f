import VDSQFormat

/// The categories that labels name. A name with a path lies within the categories of its parents:
/// an item of `net/mail` belongs to `net` too.
struct CategoryTree {
  struct Node {
    let name: String
    /// The node itself, then its parents, the closest first.
    let path: [Int]
    /// Whether items have this name as their label.
    let isLabel: Bool
    /// The items that belong to it, ascending.
    let members: [Int]
  }

  /// Parents before their children, otherwise in the order of names.
  let nodes: [Node]
  /// The node of each label; -1 for a label without items.
  let owners: [Int]

  /// - Parameters:
  ///   - labels: names of labels.
  ///   - targets: each item's label.
  ///   - separator: what stands between the names of a path; empty for no paths.
  init(labels: [String], targets: [Int], separator: String) {
    var names: [[String]] = []
    var seen: Set<ByteString> = []
    func parts(_ name: String) -> [String] {
      separator.isEmpty ? [name] : name.split(separator: separator).map(String.init)
    }
    func joined(_ parts: some Collection<String>) -> String { parts.joined(separator: separator) }
    let used = Set(targets)
    for (label, name) in labels.enumerated() where used.contains(label) {
      let parts = parts(name)
      // A name that is not the path of its parts, such as one that begins with a separator, is one
      // name.
      guard joined(parts) == name else {
        if seen.insert(ByteString(name)).inserted { names.append([name]) }
        continue
      }
      for length in 1...parts.count {
        let path = Array(parts.prefix(length))
        if seen.insert(ByteString(joined(path))).inserted { names.append(path) }
      }
    }
    names.sort { $0.lexicographicallyPrecedes($1) }
    var nodeOf: [ByteString: Int] = [:]
    for (node, path) in names.enumerated() { nodeOf[ByteString(joined(path))] = node }
    owners = labels.indices.map { used.contains($0) ? nodeOf[ByteString(labels[$0])]! : -1 }
    let paths = names.map { path in
      (1...path.count).reversed().map { nodeOf[ByteString(joined(path.prefix($0)))]! }
    }
    var members = [[Int]](repeating: [], count: names.count)
    for (item, target) in targets.enumerated() {
      for node in paths[owners[target]] { members[node].append(item) }
    }
    let labelled = Set(owners)
    nodes = names.indices.map { node in
      Node(
        name: joined(names[node]), path: paths[node], isLabel: labelled.contains(node),
        members: members[node])
    }
  }

  /// Whether one of two nodes lies within the other.
  func areNested(_ a: Int, _ b: Int) -> Bool {
    nodes[a].path.contains(b) || nodes[b].path.contains(a)
  }
}
