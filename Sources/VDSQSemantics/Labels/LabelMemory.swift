/// The memory that labels take, beside the model.
package enum LabelMemory {
  /// The bytes of a zero-shot classifier: names, words, anchors, and the scores of a text.
  ///
  /// - Parameter dimensions: the number of dimensions of an anchor.
  package static func bytes(of labels: [Label], dimensions: Int) -> Int {
    var sum = 0
    for label in labels { sum += bytes(label.name, label.words, dimensions: dimensions) }
    return sum
  }

  /// The bytes of labels with their anchors, and of the scores of a text.
  package static func bytes(of labels: LabelSet) -> Int {
    var sum = 0
    for i in 0..<labels.count {
      sum += bytes(labels.names[i], labels.words[i], dimensions: labels.dimensions)
    }
    return sum
  }

  /// The bytes of an answer with the most probable labels, as JSON.
  ///
  /// - Parameter top: the number of labels of an answer.
  package static func answerBytes(of labels: [Label], top: Int) -> Int {
    var longest = 0
    for label in labels { longest = max(longest, label.name.utf8.count) }
    // A buffer that grows is in memory twice, and has room for as much again.
    return 3 * min(top, labels.count) * (Self.candidate + longest)
  }

  /// Names of members, numbers and punctuation of a label in an answer.
  private static let candidate = 72
  /// The head of an allocation, its rounding, and what lies unused beside it: measured.
  private static let allocation = 64

  private static func bytes(_ name: String, _ words: [String], dimensions: Int) -> Int {
    var text = name.utf8.count
    for word in words { text += word.utf8.count }
    // Words are parsed before they are kept.
    let strings =
      (4 + 2 * words.count) * allocation + (3 + words.count) * MemoryLayout<String>.stride + text
    // A language model's word has a row of weights beside the label's anchor.
    let rows = (1 + words.count) * dimensions
    let scores = 2 * MemoryLayout<Float>.stride + MemoryLayout<Int>.stride
    return text + strings + scores + rows * MemoryLayout<Float>.stride
  }
}
