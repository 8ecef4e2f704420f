/// Finds the name that a misspelt one was meant to be.
package enum Spelling {
  /// The most similar of some names; nil if none is similar.
  package static func closest(to name: String, among names: [String]) -> String? {
    let letters = Array(name.utf8)
    var best: (name: String, distance: Int)?
    for candidate in names {
      let distance = distance(Array(candidate.utf8), letters)
      guard distance <= max(1, letters.count / 3) else { continue }
      if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
    }
    return best?.name
  }

  /// The number of letters to insert, remove, replace or swap with their neighbour (Damerau 1964,
  /// optimal string alignment).
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    let width = b.count + 1
    var rows = [Int](repeating: 0, count: (a.count + 1) * width)
    for i in 0...a.count {
      for j in 0...b.count {
        guard i > 0, j > 0 else {
          rows[i * width + j] = i + j
          continue
        }
        var best = rows[(i - 1) * width + j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
        best = min(best, rows[(i - 1) * width + j] + 1)
        best = min(best, rows[i * width + j - 1] + 1)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          best = min(best, rows[(i - 2) * width + j - 2] + 1)
        }
        rows[i * width + j] = best
      }
    }
    return rows[a.count * width + b.count]
  }
}
