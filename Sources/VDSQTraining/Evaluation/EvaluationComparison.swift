package import VDSQFormat

/// A second evaluation of the same texts, and the differences from the first.
package struct EvaluationComparison: Sendable {
  /// What was evaluated second: a model, an adapter, or both.
  package let name: String
  /// One for each row of the first evaluation.
  package let others: [EvaluationRow]
  /// The first accuracy minus the second, for each row.
  package let differences: [PairedComparison]

  /// - Parameters:
  ///   - rows: the first evaluation.
  ///   - others: the second one, in as many rows, or in a single row that every one of the first
  ///     is compared with.
  /// - Throws: `usage` if the rows are not about the same texts and draws.
  package init(
    with name: String, _ rows: [EvaluationRow], _ others: [EvaluationRow]
  ) throws(VDSQError) {
    self.name = name
    self.others = others.count == 1 ? rows.map { _ in others[0] } : others
    var differences: [PairedComparison] = []
    for (row, other) in zip(rows, self.others) {
      guard let difference = PairedComparison(row.evaluations, other.evaluations) else { break }
      differences.append(difference)
    }
    guard self.others.count == rows.count, differences.count == rows.count else {
      throw .usage("\(name): cannot be compared, because the texts or the draws are others")
    }
    self.differences = differences
  }
}
