import VDSQInference

extension TrainingEvent {
  /// Reports what was truncated and replaced in examples.
  static func report(
    _ examples: [Examples.Example], encoded: Examples, by encoder: TextEncoder,
    to report: (TrainingEvent) -> Void
  ) {
    let count = examples.count
    if encoded.truncated > 0 {
      report(.truncated(encoded.truncated, of: count, tokens: encoder.maximumTokens))
    }
    let replaced = examples.count { $0.isReplaced }
    if replaced > 0 { report(.replaced(replaced, of: count)) }
  }
}
