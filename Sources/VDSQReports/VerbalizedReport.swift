import VDSQFormat
package import VDSQStreams
package import VDSQTraining

/// What `vdsq verbalize` learned: the loss behind each step, and the best description.
package struct VerbalizedReport: Report {
  let fit: VerbalizedLearner.Fit
  let target: VerbalTarget
  let examples: Int
  /// The number of labelled texts at the end, the loss on them, and that of the best answer that
  /// does not look at texts; nil without such texts.
  let test: (count: Int, loss: Double, constant: Double)?
  let seconds: Double

  /// - Parameter testLoss: nil without `test`.
  package init(
    _ fit: VerbalizedLearner.Fit, target: VerbalTarget, examples: [Examples.Example],
    test: [Examples.Example]?, testLoss: Double?, seconds: Double
  ) {
    (self.fit, self.target, self.seconds) = (fit, target, seconds)
    self.examples = examples.count
    self.test =
      if let test, let testLoss {
        (
          test.count, testLoss,
          target.constantLoss(test.map(\.label), training: examples.map(\.label))
        )
      } else { nil }
  }

  private var measure: String {
    if case .number = target { "mean squared error" } else { "share of wrong answers" }
  }

  package var text: String {
    var lines = ["step   batch  held out  (\(measure))"]
    lines.append("   0       -  \(rightAligned(fixed(fit.firstLoss, 3), 8))")
    for (index, step) in fit.steps.enumerated() {
      lines.append(
        "\(rightAligned("\(index + 1)", 4)) \(rightAligned(fixed(step.batchLoss, 3), 7))  "
          + rightAligned(fixed(step.validationLoss, 3), 8))
    }
    if let test {
      lines.append(
        "test: \(fixed(test.loss, 3)) on \(counted(test.count, "text")); "
          + "the same answer for all texts: \(fixed(test.constant, 3))")
    }
    lines.append(
      "\(counted(examples, "example")), \(counted(fit.steps.count, "step")), "
        + "\(fixed(seconds, 1)) s")
    return (lines + ["", fit.description]).joined(separator: "\n")
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("measure", measure)
      json.member("description", fit.description)
      json.member("held_out", fit.loss)
      json.member("held_out_first", fit.firstLoss)
      if let test {
        json.key("test")
        json.object {
          json.member("texts", test.count)
          json.member("loss", test.loss)
          json.member("constant", test.constant)
        }
      }
      json.key("steps")
      json.array {
        for step in fit.steps {
          json.object {
            json.member("batch", step.batchLoss)
            json.member("held_out", step.validationLoss)
            json.member("description", step.description)
          }
        }
      }
      json.member("examples", examples)
      json.member("seconds", seconds)
    }
  }
}
