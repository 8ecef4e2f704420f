/// A division of examples into parts that are held out in turn, each label spread over all parts.
struct Folds {
  private let fold: [Int]

  /// - Returns: nil where some label has only one example: without it, nothing would be known of the
  ///   label.
  init?(targets: [Int], labels: Int, count: Int) {
    var seen = [Int](repeating: 0, count: labels)
    fold = targets.map { target in
      seen[target] += 1
      return (seen[target] - 1 + target) % count
    }
    guard !seen.contains(1) else { return nil }
  }

  func training(without held: Int) -> [Int] { fold.indices.filter { fold[$0] != held } }

  func heldOut(_ held: Int) -> [Int] { fold.indices.filter { fold[$0] == held } }
}
