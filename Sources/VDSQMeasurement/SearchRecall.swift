import VDSQSemantics

/// How many of the exact best an approximate search finds, on a sample of the states.
package struct SearchRecall: Sendable {
  /// Every so many states are searched exactly too.
  private static let interval = 16

  /// The states that were searched.
  package private(set) var states = 0
  /// Those among them that were searched exactly too.
  package private(set) var checked = 0
  private var wanted = 0
  private var found = 0

  package init() {}

  /// The share of the exact best that was found, 0 to 1; not a number before the first state.
  package var share: Double { Double(found) / Double(wanted) }

  /// Looks every sixteenth state up exactly, the first among them.
  ///
  /// - Parameter approximate: what the approximate search found for the state.
  package mutating func add(
    _ approximate: [VocabularySearch.Result], _ state: UnsafePointer<Float>,
    _ search: VocabularySearch
  ) {
    defer { states += 1 }
    guard states % Self.interval == 0 else { return }
    checked += 1
    let ids = Set(approximate.map(\.id))
    search.search(state) {
      wanted += 1
      if ids.contains($0.id) { found += 1 }
    }
  }
}
