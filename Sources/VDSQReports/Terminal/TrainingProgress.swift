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
    case .encoded(let count, let all): encoding.show(count, of: all)
    case .leftOut, .indexed, .truncated, .replaced, .wordsContradicted, .wordsDoubted,
      .unlabelledTextsRefused, .finetuning:
      if !quiet { event.tell(path) }
    case .trained(let share): learning.show(Int(share * 1000), of: 1000)
    }
  }

  package func end() {
    encoding.end()
    learning.end()
  }
}
