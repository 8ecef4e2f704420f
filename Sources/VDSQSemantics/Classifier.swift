public import VDSQFormat
import VDSQInference
public import VDSQKernels

/// Sorts states into the labels of a set, through an adapter where there is one.
public final class Classifier {
  /// What zero-shot probabilities are sharpened by: sentence encoders' cosines to any two labels
  /// lie close together.
  public static let defaultTemperature: Float = 0.05

  public let labels: LabelSet
  public let temperature: Float
  /// The cosine of the last state to each label's anchor.
  public private(set) var cosines: [Float]
  /// `softmax(cosines / temperature)`, or of the logits that the adapter has in their place.
  public private(set) var probabilities: [Float]
  /// Label indices, the most probable first; the first `top` are in order.
  public private(set) var ranking: [Int]
  private let adapter: Adapter?
  private let kernels: KernelTable
  private var state: [Float]
  /// Scratch of the adapter's correction.
  private var inner: [Float]

  /// - Throws: `usage` where the temperature is not positive.
  public init(
    labels: LabelSet, adapter: Adapter? = nil, temperature: Float? = nil, kernels: KernelTable
  ) throws(VDSQError) {
    self.labels = labels
    self.adapter = adapter
    self.kernels = kernels
    self.temperature = temperature ?? adapter?.temperature ?? Self.defaultTemperature
    guard self.temperature > 0, self.temperature.isFinite else {
      throw .usage("--temperature: must be above 0")
    }
    cosines = [Float](repeating: 0, count: labels.count)
    probabilities = cosines
    ranking = Array(0..<labels.count)
    state = [Float](repeating: 0, count: labels.dimensions)
    inner = []
    switch adapter?.correction {
    case .module(let module): inner = [Float](repeating: 0, count: module.rank)
    case .neighbors(let neighbors): inner = [Float](repeating: 0, count: neighbors.targets.count)
    case .kernel(_, let kernel): inner = [Float](repeating: 0, count: kernel.count)
    case .head, nil: break
    }
  }

  /// Classifies one state of `labels.dimensions` floats; the results are the properties above.
  ///
  /// - Parameter top: how many labels `ranking` is to have in order.
  public func classify(_ vector: UnsafePointer<Float>, top: Int) {
    calibrate(vector)
    let d = labels.dimensions
    let norm = state.withUnsafeBufferPointer { length($0.baseAddress!, d) }
    state.withUnsafeBufferPointer { state in
      labels.anchors.withUnsafeBufferPointer { anchors in
        cosines.withUnsafeMutableBufferPointer {
          kernels.dotRows(
            state.baseAddress!, anchors.baseAddress!, labels.count, d, $0.baseAddress!)
        }
      }
    }
    for i in cosines.indices {
      cosines[i] = norm > 0 ? cosines[i] / norm : 0
      probabilities[i] = cosines[i]
      ranking[i] = i
    }
    switch adapter?.correction {
    case .head(let head):
      probabilities.withUnsafeMutableBufferPointer {
        head.logits(vector, kernels, into: $0.baseAddress!)
      }
    case .kernel(let head, let kernel):
      probabilities.withUnsafeMutableBufferPointer {
        head.logits(vector, kernels, into: $0.baseAddress!)
      }
      kernel.add(vector, kernels, closeness: &inner, to: &probabilities)
    case .neighbors(let neighbors):
      if norm > 0 { for j in 0..<d { state[j] /= norm } }
      probabilities.withUnsafeMutableBufferPointer {
        neighbors.logits(state, kernels, cosines: &inner, into: $0)
      }
    case .module, nil: break
    }
    CosineLogits.softmax(&probabilities, temperature: temperature)
    // A selection of the first few: label sets are small, and ties go to the earlier label.
    for place in 0..<min(top, labels.count) {
      var best = place
      for i in place + 1..<max(place + 1, labels.count)
      where probabilities[ranking[i]] > probabilities[ranking[best]]
        || (probabilities[ranking[i]] == probabilities[ranking[best]]
          && ranking[i] < ranking[best])
      { best = i }
      ranking.swapAt(place, best)
    }
  }

  /// The state after the adapter's residual module.
  private func calibrate(_ vector: UnsafePointer<Float>) {
    let d = labels.dimensions
    for j in 0..<d { state[j] = vector[j] }
    guard case .module(let module) = adapter?.correction else { return }
    inner.withUnsafeMutableBufferPointer { inner in
      state.withUnsafeMutableBufferPointer {
        module.apply(vector, to: $0.baseAddress!, inner: inner.baseAddress!, kernels)
      }
    }
  }
}
