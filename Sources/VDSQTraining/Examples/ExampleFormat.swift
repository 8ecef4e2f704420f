/// The format of a file of labelled texts.
package enum ExampleFormat: Sendable, Equatable {
  /// A JSON object per line. Blank lines are skipped.
  case jsonLines
  /// RFC 4180 with commas; the first record names the columns.
  case commaSeparated
  /// Tabs and line ends separate; quotes mean nothing. The first record names the columns.
  case tabSeparated

  /// The format for the name of a file: `.csv`, `.tsv` (in upper or lower case), and JSON Lines for
  /// every other name.
  package init(path: String) {
    let name = path.lowercased()
    if name.hasSuffix(".csv") {
      self = .commaSeparated
    } else if name.hasSuffix(".tsv") {
      self = .tabSeparated
    } else {
      self = .jsonLines
    }
  }
}
