import VDSQFormat
package import VDSQTraining

extension TrainingEvent {
  private static let advice =
    "give labels words that describe their texts (--labels, --labels-file)"

  /// Tells of texts that were left out or truncated, or parts of which were replaced, and of label
  /// words that mislead.
  ///
  /// - Parameter path: the file of the texts.
  package func tell(_ path: String) {
    switch self {
    case .truncated(let count, let all, let tokens):
      StandardError.write(
        "vdsq: \(path): \(count) of \(counted(all, "text")) cut to \(tokens) tokens\n")
    case .replaced(let count, let all):
      StandardError.write(
        "vdsq: \(path): \(count) of \(counted(all, "text")) with halves of characters, which were "
          + "replaced\n"
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
    case .wordsContradicted:
      StandardError.write(
        "vdsq: \(path): the examples contradict the label words, which are used the other way "
          + "round; \(Self.advice)\n")
    case .wordsDoubted(let labels, let all):
      let named = labels.prefix(8).joined(separator: ", ") + (labels.count > 8 ? ", ..." : "")
      let words =
        labels.count == all
        ? "the label words" : "the words of \(labels.count) of \(all) labels (\(named))"
      StandardError.write(
        "vdsq: \(path): the examples do not bear out \(words), which count for little; "
          + "\(Self.advice)\n")
    case .unlabelledTextsRefused(let refusal):
      StandardError.write("vdsq: texts without labels are left out: \(refusal.reason)\n")
    case .finetuning(let texts, let seconds):
      StandardError.write(
        "vdsq: finetuning on \(counted(texts, "text")) takes about \(Self.duration(seconds)); "
          + "--method frozen goes without\n")
    case .finetuningSkipped, .encoded, .trained: break
    }
  }
}

extension TrainingEvent {
  /// Whole seconds, or minutes from two on.
  fileprivate static func duration(_ seconds: Double) -> String {
    seconds < 119.5
      ? counted(max(1, Int(seconds.rounded())), "second")
      : "\(Int((seconds / 60).rounded())) minutes"
  }
}

extension UnlabelledRefusal {
  fileprivate var reason: String {
    switch self {
    case .fewerThan(let least): "for these labels they help from \(least) on"
    case .moreLabelsThan(let most): "they help up to \(most) labels"
    case .uneven(let share):
      "the first label would have \(fixed(Double(share) * 100, 0))% of them, so they are hardly "
        + "texts of both labels in equal parts"
    }
  }
}
