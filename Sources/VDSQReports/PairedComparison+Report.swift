import VDSQStreams
package import VDSQTraining

extension PairedComparison {
  /// The interval with the signs of its bounds.
  var intervalText: String {
    "\(signed(interval.lowerBound)) to \(signed(interval.upperBound))"
  }

  /// Which of the two is better, if the texts show it.
  var verdict: String {
    let test = exactP.map { "McNemar p = \($0 < 0.0001 ? "<0.0001" : fixed($0, 4))" }
    let result =
      if excludesZero {
        "\(difference > 0 ? "better" : "worse"): the interval excludes 0"
      } else {
        "no difference shown: the interval includes 0"
      }
    return test.map { "\(result), \($0.replacing("= <", with: "< "))" } ?? result
  }
}

extension EvaluationComparison {
  /// An object with the difference of a row.
  func write(to json: JSONWriter, row: Int) {
    let difference = differences[row]
    json.object {
      json.member("accuracy_mean", others[row].accuracy.mean)
      json.member("difference", difference.difference)
      json.member("interval_95", difference.interval.bounds)
      json.member("interval_method", difference.method.rawValue)
      json.member("mcnemar_p", difference.exactP)
      json.member("only_this_right", difference.onlyFirst)
      json.member("only_other_right", difference.onlySecond)
      json.member("excludes_zero", difference.excludesZero)
      json.member(
        "better",
        difference.excludesZero ? (difference.difference > 0 ? "this" : "other") : nil as String?)
    }
  }
}
