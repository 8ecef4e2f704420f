/// Queries that are processed together, and the keys that any of them sees.
@frozen @usableFromInline
struct AttentionSpan {
  @usableFromInline let rows: Range<Int>
  /// The first one is a multiple of 32.
  @usableFromInline let keys: Range<Int>

  @_alwaysEmitIntoClient @inline(__always)
  init(rows: Range<Int>, keys: Range<Int>) {
    self.rows = rows
    self.keys = keys
  }

  /// The number of queries that share keys if attention is local.
  @_alwaysEmitIntoClient @inline(__always)
  static var localRows: Int { 128 }

  /// The keys of a register tile of queries, counted from the span's first key.
  @frozen @usableFromInline
  struct Tile {
    /// The first key, a multiple of 32.
    @usableFromInline let first: Int
    /// The number of keys up to the last one that a query of the tile sees.
    @usableFromInline let depth: Int

    @_alwaysEmitIntoClient @inline(__always)
    init(first: Int, depth: Int) {
      self.first = first
      self.depth = depth
    }

    /// Floats of a row of scores, a multiple of 32.
    @_alwaysEmitIntoClient @inline(__always)
    var width: Int { (depth + 31) / 32 * 32 }

    /// The keys that one query sees, counted from the first one.
    @_alwaysEmitIntoClient @inline(__always)
    func columns(of row: Int, _ input: AttentionInput, _ span: AttentionSpan) -> Range<Int> {
      let seen = input.seen(row..<row + 1), origin = span.keys.lowerBound + first
      return seen.lowerBound - origin..<seen.upperBound - origin
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  func tile(_ rows: Range<Int>, of input: AttentionInput) -> Tile {
    let seen = input.seen(rows)
    let first = (seen.lowerBound - keys.lowerBound) & ~31
    return Tile(first: first, depth: seen.upperBound - keys.lowerBound - first)
  }
}
