package import VDSQTraining

/// Shows the progress of an evaluation on standard error.
package final class EvaluationProgress {
  private let test: String
  private let train: String
  private let quiet: Bool
  private var current: (title: String, bar: ProgressBar)?

  /// - Parameters:
  ///   - test: the file whose texts are classified.
  ///   - train: the file that examples are drawn from.
  package init(test: String, train: String, quiet: Bool) {
    self.test = test
    self.train = train
    self.quiet = quiet
  }

  package func show(_ event: FewShotEvaluation.Event) {
    switch event {
    case .encodedTest(let count, let all): show("encoding \(test)", count, of: all)
    case .encodedTraining(let count, let all): show("encoding \(train)", count, of: all)
    case .changedTest(let event): if !quiet { event.tell(test) }
    case .changedTraining(let event): if !quiet { event.tell(train) }
    case .evaluated(let seeds, let all, let shots): show("learning from \(shots)", seeds, of: all)
    }
  }

  private func show(_ title: String, _ done: Int, of total: Int) {
    if current?.title != title {
      end()
      current = (title, ProgressBar(title, quiet: quiet))
    }
    current?.bar.show(done, of: total)
  }

  package func end() { current?.bar.end() }
}
