package import VDSQFormat
package import VDSQTraining

/// Shows the progress of training on standard error.
package final class TrainingProgress {
  private let encoding: ProgressBar
  private let learning: ProgressBar
  private let path: String
  private let quiet: Bool
  private let message: (VDSQError) -> String

  /// - Parameters:
  ///   - path: the file of the texts.
  ///   - message: the text of an error, as the program's user knows it.
  package init(encoding path: String, quiet: Bool, message: @escaping (VDSQError) -> String) {
    self.message = message
    self.path = path
    encoding = ProgressBar("encoding \(path)", quiet: quiet)
    learning = ProgressBar("learning", quiet: quiet)
    self.quiet = quiet
  }

  package func show(_ event: TrainingEvent) {
    switch event {
    case .finetuningSkipped(let error):
      if !quiet { StandardError.write("vdsq: without finetuning. \(message(error))\n") }
    case .finetuning(let texts, let seconds):
      if !quiet {
        StandardError.write(
          "vdsq: finetuning on \(counted(texts, "text")) takes about \(Self.duration(seconds)); "
            + "--method frozen goes without\n")
      }
    case .encoded(let count, let all): encoding.show(count, of: all)
    case .leftOut, .indexed, .truncated, .replaced, .wordsContradicted, .wordsDoubted,
      .unlabelledTextsRefused:
      if !quiet { event.tell(path) }
    case .trained(let share): learning.show(Int(share * 1000), of: 1000)
    }
  }

  /// Whole seconds, or minutes from two on.
  private static func duration(_ seconds: Double) -> String {
    seconds < 119.5
      ? counted(max(1, Int(seconds.rounded())), "second")
      : "\(Int((seconds / 60).rounded())) minutes"
  }

  package func end() {
    encoding.end()
    learning.end()
  }
}
