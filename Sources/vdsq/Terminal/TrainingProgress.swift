import VDSQFormat
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
    case .truncated, .replaced: if !quiet { event.tell(path) }
    case .trained(let share): learning.show(Int(share * 1000), of: 1000)
    }
  }

  func end() {
    encoding.end()
    learning.end()
  }
}

extension TrainingEvent {
  /// Tells of texts that were truncated, or parts of which were replaced.
  ///
  /// - Parameter path: the file of the texts.
  func tell(_ path: String) {
    switch self {
    case .truncated(let count, let all, let tokens):
      StandardError.write(
        "vdsq: \(path): \(count) of \(counted(all, "text")) cut to \(tokens) tokens\n")
    case .replaced(let count, let all):
      StandardError.write(
        "vdsq: \(path): \(count) of \(counted(all, "text")) with halves of characters, which were replaced\n"
      )
    case .finetuningSkipped, .encoded, .trained: break
    }
  }
}
