package import VDSQFormat
import VDSQStreams

/// Two texts that differ in one respect, of which the first is right: a pair of BLiMP (Warstadt et
/// al. 2020).
public struct MinimalPair: Sendable, Equatable {
  /// The text that a model should find likelier.
  public let good: String
  /// The other one.
  public let bad: String
  /// The name of the task that the pair belongs to.
  public let task: String
  /// The name of a group of tasks; nil for none.
  public let group: String?

  /// A pair of a task.
  public init(good: String, bad: String, task: String, group: String? = nil) {
    (self.good, self.bad, self.task, self.group) = (good, bad, task, group)
  }
}

/// Reads minimal pairs from JSON Lines: `{"good": "...", "bad": "...", "task": "...", "term": "..."}`.
package struct MinimalPairReader {
  private let fields: [String]

  /// - Parameters: the names of the fields with both texts, the task, and its group, which may be
  ///   missing.
  package init(
    good: String = "good", bad: String = "bad", task: String = "task", group: String = "term"
  ) {
    fields = [good, bad, task, group]
  }

  /// Reads a file of at most 256 MiB.
  ///
  /// - Throws: `missingInput` if it cannot be opened; `badInput`, naming the file and the line, if a
  ///   pair is malformed, or if there is none.
  package func read(_ path: String) throws(VDSQError) -> [MinimalPair] {
    let file = try TextFile(path: path)
    var paths: [FieldPath] = []
    for field in fields { paths.append(try FieldPath(field)) }
    let record = RecordFields(paths)
    var pairs: [MinimalPair] = []
    try file.forEachLine { (line, number) throws(VDSQError) in
      if TextFile.isBlank(line) { return }
      do throws(VDSQError) {
        pairs.append(
          try Array(line).withBytes { (bytes) throws(VDSQError) in
            try record.read(bytes)
            return MinimalPair(
              good: try record.readableText(0), bad: try record.readableText(1),
              task: try record.name(2), group: record.values[3] == nil ? nil : try record.name(3))
          })
      } catch { throw error.within("\(path): line \(number)") }
    }
    guard !pairs.isEmpty else { throw .badInput("\(path): no pairs") }
    return pairs
  }
}
