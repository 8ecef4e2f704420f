import VDSQFormat
import VDSQReports
import VDSQTraining

/// Shows the progress of training on standard error.
final class TrainingProgress {
  private let encoding: ProgressBar
  private let learning: ProgressBar
  private let path: String
  private let quiet: Bool

  /// - Parameter path: the file of the texts.
  init(encoding path: String, quiet: Bool) {
    self.path = path
    encoding = ProgressBar("encoding \(path)", quiet: quiet)
    learning = ProgressBar("learning", quiet: quiet)
    self.quiet = quiet
  }

  func show(_ event: TrainingEvent) {
    switch event {
    case .finetuningSkipped(let error):
      if !quiet { StandardError.write("vdsq: without finetuning. \(error.commandLineMessage)\n") }
    case .encoded(let count, let all): encoding.show(count, of: all)
    case .leftOut, .truncated, .replaced: if !quiet { event.tell(path) }
    case .trained(let share): learning.show(Int(share * 1000), of: 1000)
    }
  }

  func end() {
    encoding.end()
    learning.end()
  }
}
