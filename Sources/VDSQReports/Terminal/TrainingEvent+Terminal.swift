import VDSQFormat
package import VDSQTraining

extension TrainingEvent {
  /// Tells of texts that were left out or truncated, or parts of which were replaced.
  ///
  /// - Parameter path: the file of the texts.
  package func tell(_ path: String) {
    switch self {
    case .truncated(let count, let all, let tokens):
      StandardError.write(
        "vdsq: \(path): \(count) of \(counted(all, "text")) cut to \(tokens) tokens\n")
    case .replaced(let count, let all):
      StandardError.write(
        "vdsq: \(path): \(count) of \(counted(all, "text")) with halves of characters, which were replaced\n"
      )
    case .leftOut(let count, let all):
      StandardError.write(
        "vdsq: \(path): \(count) of \(counted(all, "text")) left out: nothing to read\n")
    case .indexed(let names):
      var parts = names.enumerated().prefix(4).map { "\($0) is \($1)" }
      if names.count > parts.count {
        parts += (names.count > 5 ? ["..."] : []) + ["\(names.count - 1) is \(names.last!)"]
      }
      StandardError.write(
        "vdsq: \(path): labels are indices: \(parts.joined(separator: ", "))\n")
    case .finetuningSkipped, .encoded, .trained: break
    }
  }
}
