package import VDSQSemantics

extension Classifier {
  /// The scores of a row of features, of which the classifier reads the first columns.
  package func scores(of features: FeatureMatrix, row: Int, top: Int = 1) -> LabelScores {
    features.withRow(row) { scores(of: $0, top: top) }
  }

  /// Classifies a row of features, of which the classifier reads the first columns.
  package func classify(
    _ features: FeatureMatrix, row: Int, top: Int = 1, into scores: inout LabelScores
  ) {
    features.withRow(row) { classify($0, top: top, into: &scores) }
  }
}
