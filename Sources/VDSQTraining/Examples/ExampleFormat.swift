/// How a file of labelled texts is written.
public enum ExampleFormat: Sendable, Equatable {
  /// A JSON object per line. Blank lines are skipped.
  case jsonLines
  /// RFC 4180 with commas; the first record names the columns.
  case commaSeparated
  /// The same with tabs.
  case tabSeparated

  /// The format that a file's name tells: `.csv`, `.tsv`, and JSON Lines for every other name.
  public init(path: String) {
    if path.hasSuffix(".csv") {
      self = .commaSeparated
    } else if path.hasSuffix(".tsv") {
      self = .tabSeparated
    } else {
      self = .jsonLines
    }
  }
}
