extension Evaluation {
  /// An evaluation whose counts are known.
  ///
  /// - Parameter confusion: `[labels, labels]`, true labels by rows.
  package init(confusion: [Int], labels: Int, calibrationError: Double) {
    self.confusion = confusion
    self.labels = labels
    self.calibrationError = calibrationError
  }
}
