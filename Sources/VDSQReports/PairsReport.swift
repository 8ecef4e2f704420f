package import VDSQStreams
package import VDSQTraining

/// The accuracy of each task of `vdsq pairs`, and of all pairs.
package struct PairsReport: Report {
  let evaluation: PairEvaluation

  package init(_ evaluation: PairEvaluation) { self.evaluation = evaluation }

  package var text: String {
    let tasks = evaluation.tasks + (evaluation.tasks.count > 1 ? [evaluation.total] : [])
    let width = tasks.map { Self.name($0).count }.max() ?? 0
    let head =
      "\(padded("task", width)) \(rightAligned("pairs", 6)) \(rightAligned("accuracy", 9)) "
      + "\(rightAligned("95%", 14)) \(rightAligned("difference", 11))"
    return
      ([head]
      + tasks.map {
        "\(padded(Self.name($0), width)) \(rightAligned("\($0.count)", 6)) "
          + "\(rightAligned(fixed($0.accuracy, 3), 9)) "
          + "\(rightAligned($0.interval.bounds.map { fixed($0, 3) }.joined(separator: "-"), 14)) "
          + rightAligned(fixed($0.meanDifference, 3), 11)
      }).joined(separator: "\n")
  }

  static func name(_ task: PairEvaluation.Task) -> String { task.name ?? "all tasks" }

  package func write(to json: JSONWriter) {
    json.object {
      Self.write(evaluation.total, to: json)
      json.key("tasks")
      json.array {
        for task in evaluation.tasks {
          json.object {
            json.member("task", task.name)
            Self.write(task, to: json)
          }
        }
      }
    }
  }

  private static func write(_ task: PairEvaluation.Task, to json: JSONWriter) {
    json.member("pairs", task.count)
    json.member("right", task.right)
    json.member("accuracy", task.accuracy)
    json.member("accuracy_interval_95", task.interval.bounds)
    json.member("mean_difference", task.meanDifference)
  }
}

/// The scores of one pair.
package struct PairScoreReport: Report {
  let pair: MinimalPair
  let score: PairEvaluation.Score

  package init(_ pair: MinimalPair, _ score: PairEvaluation.Score) {
    (self.pair, self.score) = (pair, score)
  }

  private var isRight: Bool { score.difference > 0 }

  package var text: String {
    "\(fixed(score.good, 6))\t\(fixed(score.bad, 6))\t\(isRight ? "right" : "-")\t\(pair.task)"
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("task", pair.task)
      json.member("good", score.good, decimals: 6)
      json.member("bad", score.bad, decimals: 6)
      json.member("right", isRight)
    }
  }
}
