package import VDSQFormat
import VDSQStreams

/// The texts of a file, one per line. Blank lines are skipped.
package struct TextLines {
  /// UTF-8, at least one.
  package let texts: [[UInt8]]
  /// The number of texts in which invalid UTF-8 was replaced.
  package let replaced: Int

  /// - Throws: `missingInput` if the file cannot be read; `badInput` if it is UTF-16, has more than
  ///   64 MiB, or has no texts.
  package init(path: String) throws(VDSQError) {
    var texts: [[UInt8]] = []
    var replaced = 0
    try TextFile(path: path, limit: 64 << 20).forEachLine { line, _ in
      if TextFile.isBlank(line) { return }
      if line.withUnsafeBytes({ UTF8Decoder.replacements(in: $0) }) > 0 { replaced += 1 }
      texts.append(Array(line))
    }
    guard !texts.isEmpty else { throw .badInput("\(path): no texts; give a line each") }
    (self.texts, self.replaced) = (texts, replaced)
  }
}
