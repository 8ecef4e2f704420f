/// Classifiers of labels that requests named, the most recently used ones.
struct LabelCache {
  fileprivate var entries: [(key: String, classifier: ServedClassifier)] = []
  /// The most entries and the most floats of their anchors.
  private static let (mostEntries, mostFloats) = (64, 1 << 19)

  /// The classifier of a key, which is then the most recently used.
  mutating func find(_ key: String) -> ServedClassifier? {
    guard let place = entries.firstIndex(where: { $0.key.utf8.elementsEqual(key.utf8) }) else {
      return nil
    }
    let entry = entries.remove(at: place)
    entries.append(entry)
    return entry.classifier
  }

  mutating func add(_ key: String, _ classifier: ServedClassifier) {
    entries.append((key, classifier))
    var floats = entries.reduce(0) { $0 + Self.floats($1.classifier) }
    while entries.count > Self.mostEntries || (floats > Self.mostFloats && entries.count > 1) {
      floats -= Self.floats(entries.removeFirst().classifier)
    }
  }

  private static func floats(_ classifier: ServedClassifier) -> Int {
    classifier.classifier.labels.anchors.count
  }
}

extension LabelCache {
  /// Whether a cached classifier reads a lane.
  func uses(_ lane: Lane) -> Bool { entries.contains { $0.classifier.lane === lane } }
}
