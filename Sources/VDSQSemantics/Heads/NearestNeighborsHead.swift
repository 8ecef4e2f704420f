import CShims
import VDSQFormat
package import VDSQKernels

/// k-nearest-neighbour classifier over hidden states. Stores `[examples, dimensions]` unit vectors;
/// predicts by a softmax-weighted vote of the `count` most similar ones.
package struct NearestNeighborsHead: Sendable {
  /// `[examples, dimensions]`, each row of length 1.
  package let states: [Float]
  /// The label of each example.
  package let targets: [Int]
  /// The number of examples that vote: the k of k nearest neighbours.
  package let count: Int
  /// An example votes with the weight `exp(sharpness * cosine)`; at least 0.
  package let sharpness: Float

  /// The share of the votes that is spread over all labels, because the closest examples may all be
  /// wrong.
  static let smoothing: Float = 0.05

  /// The names of its tensors in an adapter's file.
  enum Name {
    static let states = "neighbors.states"
    static let labels = "neighbors.labels"
  }

  /// - Parameters:
  ///   - states: `[examples, dimensions]`, each row of length 1.
  ///   - targets: the label of each example.
  ///   - count: how many examples vote.
  ///   - sharpness: an example votes with the weight `exp(sharpness * cosine)`.
  package init(states: [Float], targets: [Int], count: Int, sharpness: Float) {
    self.states = states
    self.targets = targets
    self.count = count
    self.sharpness = sharpness
  }

  var scratchCount: Int { targets.count + states.count / targets.count }

  var bytes: Int { 4 * states.count + 8 * targets.count }

  /// The logarithms of the labels' shares of the votes.
  ///
  /// - Parameters:
  ///   - state: `dimensions` floats of any length.
  ///   - cosines: a buffer of `scratchCount` floats.
  ///   - out: one float per label.
  func logits(
    _ state: UnsafePointer<Float>, dimensions d: Int, _ kernels: KernelTable,
    cosines: UnsafeMutablePointer<Float>, into out: UnsafeMutableBufferPointer<Float>
  ) {
    let unit = cosines + targets.count
    let norm = length(state, d)
    for j in 0..<d { unit[j] = norm > 0 ? state[j] / norm : state[j] }
    logits(unit, kernels, cosines: cosines, into: out)
  }

  /// The logarithms of the labels' shares of the votes.
  ///
  /// - Parameters:
  ///   - state: of length 1.
  ///   - cosines: a buffer of one float per example; overwritten.
  ///   - excluded: an example that may not vote, or -1.
  ///   - out: one float per label.
  package func logits(
    _ state: UnsafePointer<Float>, _ kernels: KernelTable, cosines: UnsafeMutablePointer<Float>,
    excluding excluded: Int = -1, into out: UnsafeMutableBufferPointer<Float>
  ) {
    let examples = targets.count
    kernels.dotRows(state, states, examples, states.count / examples, cosines)
    if excluded >= 0 { cosines[excluded] = -2 }
    for label in out.indices { out[label] = 0 }
    var total: Float = 0
    var closest: Float = 0
    for place in 0..<min(count, excluded >= 0 ? examples - 1 : examples) {
      var best = 0
      for i in 1..<max(1, examples) where cosines[i] > cosines[best] { best = i }
      if place == 0 { closest = cosines[best] }
      let vote = vdsq_expf(sharpness * (cosines[best] - closest))
      out[targets[best]] += vote
      total += vote
      cosines[best] = -2
    }
    let share = Self.smoothing / Float(out.count)
    for label in out.indices {
      out[label] = vdsq_logf((1 - Self.smoothing) * (total > 0 ? out[label] / total : 0) + share)
    }
  }

  /// The difference of the sums of two labels' examples.
  func direction(_ label: Int, _ other: Int, columns: Int) -> [Float] {
    let d = states.count / targets.count
    var sums = [Float](repeating: 0, count: 2 * columns)
    for (example, target) in targets.enumerated() where target == label || target == other {
      let start = target == label ? 0 : columns
      for j in 0..<columns { sums[start + j] += states[example * d + j] }
    }
    return difference(of: sums, 0, 1, columns: columns, dimensions: columns)
  }

  init(_ file: Container, labels: Int, dimensions: Int) throws(VDSQError) {
    let examples = file.find(Name.states)?.record.shape.first ?? 0
    guard examples > 0 else { throw .badInput("\(file.path): tensor \(Name.states) is empty") }
    var targets: [Int] = []
    for target in try file.finiteFloats(Name.labels, shape: [examples]) {
      guard target >= 0, target < Float(labels), target == target.rounded(.down) else {
        throw .badInput("\(file.path): tensor \(Name.labels) has a value that is no label")
      }
      targets.append(Int(target))
    }
    self.init(
      states: try file.finiteFloats(Name.states, shape: [examples, dimensions]), targets: targets,
      count: try file.metadata.integer("neighbors", in: 1...examples),
      sharpness: Float(try file.metadata.number("sharpness")))
  }

  func store(in contents: inout AdapterContents) {
    let examples = targets.count
    contents.metadata.set("neighbors", .integer(count))
    contents.metadata.set("sharpness", .number(Double(sharpness)))
    contents.add(Name.states, .float32(states), shape: [examples, states.count / max(1, examples)])
    contents.add(Name.labels, .float32(targets.map { Float($0) }), shape: [examples])
  }
}
