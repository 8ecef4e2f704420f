/// The format of a file of labelled texts.
package enum ExampleFormat: Sendable, Equatable {
  /// A JSON object per line. Blank lines are skipped.
  case jsonLines
  /// RFC 4180 with commas; the first record names the columns.
  case commaSeparated
  /// The same with tabs.
  case tabSeparated

  /// The format for the name of a file: `.csv`, `.tsv`, and JSON Lines for every other name.
  package init(path: String) {
    if path.hasSuffix(".csv") {
      self = .commaSeparated
    } else if path.hasSuffix(".tsv") {
      self = .tabSeparated
    } else {
      self = .jsonLines
    }
  }
}
