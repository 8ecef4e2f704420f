package import VDSQFormat
package import VDSQInference
package import VDSQ

/// The memory of a model under each memory policy, and the policy that a budget leads to.
package struct PolicyComparison: Sendable {
  /// A possible policy.
  package struct Entry: Sendable {
    package let footprint: Footprint
    /// The median time of a full batch; nil if it was not measured.
    package var batchSeconds: Double?
  }

  /// The fastest policy within the budget.
  package let chosen: Footprint
  /// From the fastest to the smallest.
  package private(set) var entries: [Entry]
  /// The smallest budget in bytes for which a policy suffices.
  package let smallestBudget: Int

  private let budget: Int?

  /// - Parameters:
  ///   - footprints: the footprints of all policies.
  ///   - budget: the limit of the process's peak memory in bytes; nil for no limit.
  ///   - policies: the policies to choose from.
  /// - Throws: `budgetTooSmall`, with the smallest sufficient budget.
  package init(
    of footprints: [Footprint], within budget: Int?, among policies: [MemoryPolicy]
  ) throws(VDSQError) {
    self.budget = budget
    entries = footprints.filter { policies.contains($0.policy) }.map { Entry(footprint: $0) }
    smallestBudget = Footprint.namedBudget(for: entries.map(\.footprint.peakBytes).min() ?? 0)
    chosen = try Footprint.fastest(of: footprints, within: budget ?? .max, among: policies)
  }

  /// Measures the time of a full batch under each policy that the budget allows.
  ///
  /// - Parameters:
  ///   - path: the model.
  ///   - options: the options of the work. Their policy is ignored.
  /// - Throws: the errors of opening and running the model.
  package mutating func measure(_ path: String, options: TextEncoder.Options) throws(VDSQError) {
    for index in entries.indices where entries[index].footprint.peakBytes <= budget ?? .max {
      var options = options
      options.policy = entries[index].footprint.policy
      if chosen.isCut { options.maximumTokens = chosen.maximumTokens }
      let encoder = try TextEncoder(
        try Container(path: path, kind: .model, decoding: options.policy.decoding),
        options: options)
      entries[index].batchSeconds = try Self.time(encoder)
    }
  }

  /// The median of five batches.
  private static func time(_ encoder: TextEncoder) throws(VDSQError) -> Double {
    let words = Array(String(repeating: "a b c d ", count: encoder.maximumTokens).utf8)
    var samples: [Double] = []
    for _ in 0..<5 {
      while encoder.hasRoom { words.withUnsafeBytes { _ = encoder.add($0) } }
      let start = Timing.now()
      try encoder.encode { _, _ in }
      samples.append(Timing.now() - start)
    }
    return samples.sorted()[samples.count / 2]
  }
}
