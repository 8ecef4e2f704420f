internal import VDSQFormat
internal import VDSQInference
internal import VDSQSemantics

/// Encoders over one map, one for each caller that is served at a time.
///
/// Makes the first encoder at once and others when they are needed. A caller that finds all of them in use
/// waits.
final class EncoderPool: @unchecked Sendable {
  let container: Container
  private let options: TextEncoder.Options
  private let capacity: Int
  private let lock = Lock()
  // Guarded by the lock.
  private var free: [TextEncoder] = []
  private var made = 0

  /// Opens a model as its options want it: under the policy that they name, or the fastest that their
  /// budget allows.
  ///
  /// - Parameters:
  ///   - adapter: what changes the encoder, and is read beside the model.
  ///   - adapterCopies: how often the adapter may be in memory at a time.
  /// - Throws: `budgetTooSmall`, naming the smallest budget that would do; what opening the model does.
  init(
    _ model: Model, _ run: RunOptions, adapter: Adapter?, adapterCopies: Int
  ) throws(VDSQError) {
    let isValid = run.concurrency >= 1 && run.concurrency <= 4096
    guard isValid else { throw .usage("\(run.concurrency) callers: from 1 to 4096 are possible") }
    guard run.batch.map({ $0 >= 1 && $0 <= 4096 }) ?? true else {
      throw .usage("a batch has from 1 to 4096 texts")
    }
    var options = run.encoderOptions()
    options.intermediateFeatures = adapter?.intermediateFeatures ?? []
    options.policy = try MemoryPolicy.fastest(
      run, of: model.path, options: options, more: adapterCopies * (adapter?.bytes ?? 0))
    options.updates = adapter?.updates
    capacity = run.concurrency
    container = try model.container(for: options.policy)
    self.options = options
    let first = try TextEncoder(container, options: options)
    if let adapter, adapter.labels.dimensions != first.dimensions {
      throw .badInput("\(model.path): the adapter's dimensions are not the model's")
    }
    // Opening touched more than what is used afterwards.
    free = [first]
    made = 1
  }

  /// Takes pages that opening touched out of memory; those that are used come back.
  func settle() { container.release() }

  /// An encoder for one caller, who gives it back.
  func take() throws(VDSQError) -> TextEncoder {
    lock.lock()
    defer { lock.unlock() }
    while free.isEmpty && made >= capacity { lock.wait() }
    if let encoder = free.popLast() { return encoder }
    // Under the lock: opening changes where a container's sections lie.
    let encoder = try TextEncoder(container, options: options)
    made += 1
    return encoder
  }

  /// Gives an encoder back.
  func give(_ encoder: TextEncoder) {
    lock.lock()
    free.append(encoder)
    lock.signal()
    lock.unlock()
  }
}

extension MemoryPolicy {
  /// The policy that options name, or the fastest that their budget allows.
  ///
  /// - Parameters:
  ///   - options: as the work's; its policy does not count.
  ///   - more: bytes that are known to be taken besides the model.
  ///   - policies: those that a budget may lead to; the first where there is no budget.
  /// - Throws: `budgetTooSmall`, naming the smallest budget that would do.
  package static func fastest(
    _ run: RunOptions, of path: String, options: TextEncoder.Options, more: Int,
    among policies: [MemoryPolicy] = MemoryPolicy.all
  ) throws(VDSQError) -> MemoryPolicy {
    let allowed = MemoryPolicy.among(run.memoryPolicy, or: policies)
    guard let budget = run.memoryBudget else { return allowed[0] }
    return try Footprint.policy(
      within: budget, of: path, options: options, among: allowed, more: more)
  }
}
