import CVDSQ
import VDSQ

extension Footprint {
  /// The footprint of the requested policy, or of the fastest that the budget allows.
  ///
  /// - Throws: `budgetTooSmall`, with the smallest sufficient budget; the errors of opening the
  ///   model.
  init(of model: Model, _ run: RunOptions) throws(VDSQError) {
    let policies = MemoryPolicy.among(run.memoryPolicy)
    let mayCut = run.onCutForBudget != nil && run.maximumTokens == nil
    let all = try Footprint.each(
      of: model.path, options: run.encoderOptions(), callers: run.concurrency,
      cutFor: mayCut ? run.memoryBudget : nil, among: policies)
    self = try Footprint.fastest(of: all, within: run.memoryBudget ?? .max, among: policies)
  }

  /// The footprint in the form of the interface.
  var plan: vdsq_plan {
    var plan = vdsq_plan()
    plan.memory_policy = policy.number
    plan.maximum_tokens = UInt32(maximumTokens)
    plan.peak_bytes = UInt64(peakBytes)
    withUnsafeMutableBytes(of: &plan.parts) { raw in
      let room = raw.bindMemory(to: vdsq_plan_part.self)
      for part in parts.prefix(room.count) {
        room[plan.part_count] = part.inInterface
        plan.part_count += 1
      }
    }
    return plan
  }
}

extension Footprint.Part {
  fileprivate var inInterface: vdsq_plan_part {
    var part = vdsq_plan_part()
    part.bytes = UInt64(bytes)
    withUnsafeMutableBytes(of: &part.name) { raw in
      // The last byte stays 0.
      for (place, byte) in name.utf8.prefix(raw.count - 1).enumerated() { raw[place] = byte }
    }
    return part
  }
}
