public import VDSQFormat
public import VDSQKernels

/// Turns states into probabilities of labels: by their cosines to the labels' anchors, or by the head of
/// an adapter. It is a value without state of its own; results and scratch memory are in `LabelScores`.
public struct Classifier: Sendable {
  /// What cosines are divided by where nothing else is known: a sentence encoder's cosines to any two
  /// labels lie close together.
  public static let defaultTemperature: Float = 0.05

  /// The labels and their anchors.
  public let labels: LabelSet
  /// The softmax temperature, by which logits are divided; above 0.
  public let temperature: Float
  private let head: Head?
  private let kernels: KernelTable

  /// A classifier by cosines to anchors.
  ///
  /// - Parameters:
  ///   - temperature: what cosines are divided by; nil for `defaultTemperature`.
  ///   - kernels: the SIMD kernels to use.
  /// - Throws: `usage` if the temperature is not positive.
  public init(
    labels: LabelSet, temperature: Float? = nil, kernels: KernelTable
  ) throws(VDSQError) {
    try self.init(labels, nil, temperature ?? Self.defaultTemperature, kernels)
  }

  /// A classifier with an adapter.
  ///
  /// - Parameters:
  ///   - temperature: what logits are divided by; nil for the adapter's.
  ///   - kernels: the SIMD kernels to use.
  /// - Throws: `usage` if the temperature is not positive.
  public init(
    adapter: Adapter, temperature: Float? = nil, kernels: KernelTable
  ) throws(VDSQError) {
    try self.init(adapter.labels, adapter.head, temperature ?? adapter.temperature, kernels)
  }

  private init(
    _ labels: LabelSet, _ head: Head?, _ temperature: Float, _ kernels: KernelTable
  ) throws(VDSQError) {
    guard temperature > 0, temperature.isFinite else {
      throw .usage("a temperature must be above 0", .temperature)
    }
    self.labels = labels
    self.head = head
    self.temperature = temperature
    self.kernels = kernels
  }

  /// Room for the results of this classifier, to be used again and again.
  public func makeScores() -> LabelScores {
    LabelScores(
      labels: labels.count, dimensions: labels.dimensions, scratch: head?.scratchCount ?? 0)
  }

  /// Classifies one state.
  ///
  /// - Parameters:
  ///   - state: `labels.dimensions` floats.
  ///   - top: how many labels the ranking is to have in order.
  public func scores(of state: UnsafePointer<Float>, top: Int = 1) -> LabelScores {
    var scores = makeScores()
    classify(state, top: top, into: &scores)
    return scores
  }

  /// Classifies one state without allocating memory.
  ///
  /// - Parameters:
  ///   - state: `labels.dimensions` floats.
  ///   - top: how many labels the ranking is to have in order.
  ///   - scores: what `makeScores` of this classifier returned.
  public func classify(_ state: UnsafePointer<Float>, top: Int, into scores: inout LabelScores) {
    let d = labels.dimensions
    for j in 0..<d { scores.state[j] = state[j] }
    let norm = scores.state.withUnsafeMutableBufferPointer { moved in
      scores.scratch.withUnsafeMutableBufferPointer {
        head?.move(state, to: moved.baseAddress!, scratch: $0.baseAddress!, kernels)
      }
      labels.anchors.withUnsafeBufferPointer { anchors in
        scores.cosines.withUnsafeMutableBufferPointer {
          kernels.dotRows(
            moved.baseAddress!, anchors.baseAddress!, labels.count, d, $0.baseAddress!)
        }
      }
      return length(moved.baseAddress!, d)
    }
    for i in scores.cosines.indices {
      scores.cosines[i] = norm > 0 ? scores.cosines[i] / norm : 0
      scores.probabilities[i] = scores.cosines[i]
      scores.ranking[i] = i
    }
    if let head {
      scores.probabilities.withUnsafeMutableBufferPointer { logits in
        scores.scratch.withUnsafeMutableBufferPointer {
          head.logits(state, dimensions: d, scratch: $0.baseAddress!, kernels, into: logits)
        }
      }
    }
    CosineLogits.softmax(&scores.probabilities, temperature: temperature)
    scores.rank(top)
  }
}
