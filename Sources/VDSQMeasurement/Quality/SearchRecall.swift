package import VDSQSemantics

/// The recall of an approximate search, measured on a sample of the states.
package struct SearchRecall: Sendable {
  /// The interval of states that are also searched exactly.
  private static let interval = 16

  /// The number of searched states.
  package private(set) var states = 0
  /// The number of states that were also searched exactly.
  package private(set) var checked = 0
  private var wanted = 0
  private var found = 0

  package init() {}

  /// The share of the exact results that was found, from 0 to 1; NaN before the first state.
  package var share: Double { Double(found) / Double(wanted) }

  /// Searches every sixteenth state exactly, starting with the first.
  ///
  /// - Parameter approximate: the results of the approximate search for the state.
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
