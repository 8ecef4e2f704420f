import VDSQFormat

/// The tensors that a conversion may leave out although the model would compute something else with
/// them, by patterns of their names in the checkpoint.
struct IgnoredTensors {
  private let patterns: [(text: String, pattern: NamePattern)]

  init(_ patterns: [String]) { self.patterns = patterns.map { ($0, NamePattern($0)) } }

  func contains(_ name: String) -> Bool { patterns.contains { $0.pattern.matches(name) } }

  /// Checks that each pattern is of a tensor that nothing uses. One that is used cannot be left
  /// out.
  ///
  /// - Parameter leftOut: the names of the tensors that are left out, sorted.
  /// - Returns: a line that says what is ignored; nil without patterns.
  /// - Throws: `usage`, naming a pattern of none.
  func check(_ leftOut: [String], _ path: String) throws(VDSQError) -> String? {
    for (text, pattern) in patterns where !leftOut.contains(where: pattern.matches) {
      throw .usage(
        "\(text): no tensor of such a name is left out; one that the model needs cannot be",
        .ignoredTensors)
    }
    let names = leftOut.filter(contains)
    guard !names.isEmpty else { return nil }
    let count = names.count == 1 ? "a tensor is" : "\(names.count) tensors are"
    let more = names.count > 4 ? " and \(names.count - 4) more" : ""
    return "\(path): \(count) ignored, as asked: \(names.prefix(4).joined(separator: ", "))\(more)"
  }
}
