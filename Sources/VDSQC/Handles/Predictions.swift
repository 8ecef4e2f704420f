import CVDSQ
import VDSQ

/// A caller's buffers for answers.
struct Predictions {
  private let buffers: vdsq_predictions

  /// - Parameters:
  ///   - texts: the number of texts that will be classified.
  ///   - labels: the number of labels.
  /// - Throws: `usage` if they have no room, or want a number of labels that there is not.
  init(
    _ pointer: UnsafePointer<vdsq_predictions>?, texts: Int, labels: Int
  ) throws(VDSQError) {
    guard let buffers = try Sized.read(pointer, "vdsq_predictions") else {
      throw .usage("vdsq_predictions is NULL")
    }
    guard buffers.top >= 1, buffers.top <= labels else {
      throw .usage("top is \(UInt(bitPattern: buffers.top)); 1 to \(labels) are possible")
    }
    try Arguments.check(buffers.capacity, holds: texts, of: 1, "vdsq_predictions")
    self.buffers = buffers
  }

  /// The number of labels of a text.
  var top: Int { buffers.top }

  /// Writes the answer for a text.
  ///
  /// - Parameter thresholds: the probability from which each label is given; nil if the most
  ///   probable one is.
  func set(_ index: Int, _ text: TokenCount, _ scores: LabelScores, _ thresholds: [Float]?) {
    for place in 0..<top {
      let label = scores.ranking[place]
      let row = index * top + place
      buffers.labels?[row] = UInt32(label)
      buffers.probabilities?[row] = scores.probabilities[label]
      buffers.scores?[row] = scores.cosines[label]
      let isGiven =
        if let thresholds { !text.isBlank && scores.probabilities[label] >= thresholds[label] } else
        {
          place == 0
        }
      buffers.given?[row] = isGiven ? 1 : 0
    }
    buffers.info?[index] = vdsq_text_info(
      tokens: text.tokens, isTruncated: text.isTruncated, isBlank: text.isBlank)
  }
}
