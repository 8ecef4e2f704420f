package import VDSQStreams
package import VDSQTraining

/// How well the labels of texts with several labels are found.
package struct MultiLabelReport: Report {
  let evaluation: MultiLabelEvaluation

  package init(_ evaluation: MultiLabelEvaluation) { self.evaluation = evaluation }

  package var text: String {
    let report = evaluation.report
    let means = [
      ("micro mean", evaluation.micro), ("macro mean", report.macro),
      ("weighted mean", report.weighted),
    ]
    let width = (evaluation.names + means.map(\.0)).map(\.count).max() ?? 0
    func line(_ name: String, _ scores: ClassificationReport.Scores, _ support: Int) -> String {
      let numbers = [scores.precision, scores.recall, scores.f1].map {
        rightAligned(fixed($0, 4), 9)
      }
      return "\(padded(name, width)) \(numbers.joined(separator: " ")) "
        + rightAligned("\(support)", 8)
    }
    let all = report.support.reduce(0, +)
    let bounds = evaluation.interval.bounds.map { fixed($0, 4) }.joined(separator: "-")
    return
      ([
        "subset accuracy \(fixed(evaluation.subsetAccuracy, 4)) (95%: \(bounds)), "
          + "micro-F1 \(fixed(evaluation.micro.f1, 4)), macro-F1 \(fixed(report.macro.f1, 4))",
        "",
        "\(padded("label", width)) \(rightAligned("precision", 9)) \(rightAligned("recall", 9)) "
          + "\(rightAligned("F1", 9)) \(rightAligned("support", 8))",
      ]
      + evaluation.names.indices.map {
        line(evaluation.names[$0], report.labels[$0]!, report.support[$0])
      } + means.map { line($0.0, $0.1, all) }).joined(separator: "\n")
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("labels", evaluation.names)
      json.member("texts", evaluation.count)
      json.member("subset_accuracy", evaluation.subsetAccuracy)
      json.member("subset_accuracy_interval_95", evaluation.interval.bounds)
      json.key("micro_mean")
      json.object { ClassificationReport.write(evaluation.micro, to: json) }
      evaluation.report.write(to: json, names: evaluation.names)
    }
  }
}
