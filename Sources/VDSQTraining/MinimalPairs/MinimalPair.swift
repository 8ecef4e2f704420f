package import VDSQFormat
import VDSQSemantics
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

/// Reads minimal pairs from JSON Lines:
/// `{"good": "...", "bad": "...", "task": "...", "term": "..."}`.
package struct MinimalPairReader {
  private let fields: [String]

  /// - Parameters: the names of the fields with both texts, the task, and its group, which may be
  ///   missing or null; nil if no groups are needed.
  package init(
    good: String = "good", bad: String = "bad", task: String = "task", group: String? = nil
  ) {
    fields = [good, bad, task] + (group.map { [$0] } ?? [])
  }

  /// Reads a file of at most 256 MiB.
  ///
  /// - Throws: `missingInput` if it cannot be opened; `badInput`, naming the file and the line, if
  ///   a pair is malformed, or if there is none.
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
              task: try name(record, 2), group: try group(record))
          })
      } catch { throw error.within("\(path): line \(number)") }
    }
    guard !pairs.isEmpty else { throw .badInput("\(path): no pairs") }
    return pairs
  }

  private func group(_ record: RecordFields) throws(VDSQError) -> String? {
    guard fields.count > 3, let value = record.values[3], value.kind != .null else { return nil }
    return try name(record, 3)
  }

  /// A name that fits into a line.
  private func name(_ record: RecordFields, _ index: Int) throws(VDSQError) -> String {
    let name = try record.name(index)
    if let fault = Label.fault(in: name) {
      throw .badInput("the field \(record.path(index)): \(fault)")
    }
    return name
  }
}
