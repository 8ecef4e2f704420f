import VDSQFormat

/// Texts of a file that a model did not read as they are.
package struct ChangedTexts {
  /// The number of texts.
  let count: Int
  /// Those that were truncated to `tokens`.
  let truncated: Int
  let tokens: Int
  /// Those in which invalid UTF-8 was replaced.
  let replaced: Int

  package init(count: Int, truncated: Int, tokens: Int, replaced: Int) {
    self.count = count
    self.truncated = truncated
    self.tokens = tokens
    self.replaced = replaced
  }

  /// Tells of them on standard error.
  ///
  /// - Parameter path: the file of the texts; nil for built-in ones.
  package func tell(_ path: String?) {
    for line in lines { StandardError.write("vdsq: \(path.map { "\($0): " } ?? "")\(line)\n") }
  }

  /// What is told of them.
  package var lines: [String] {
    var lines: [String] = []
    if truncated > 0 {
      lines.append("\(truncated) of \(counted(count, "text")) cut to \(tokens) tokens")
    }
    if replaced > 0 {
      lines.append(
        "\(replaced) of \(counted(count, "text")) with invalid UTF-8, which was replaced")
    }
    return lines
  }
}
