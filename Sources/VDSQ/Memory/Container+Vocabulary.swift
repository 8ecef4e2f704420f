package import VDSQFormat

extension Container {
  /// The size of the weights outside the layers, with which states are compared.
  package var vocabularyBytes: Int {
    sections.reduce(0) { $0 + ($1.kind == .weights && !$1.isLayer ? $1.rawLength : 0) }
  }
}
