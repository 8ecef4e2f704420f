import CVDSQ
import VDSQ

extension RunOptions {
  /// The options of a caller; NULL for the defaults.
  ///
  /// - Throws: `usage` for a value that no model allows.
  init(_ pointer: UnsafePointer<vdsq_run_options>?) throws(VDSQError) {
    self.init()
    guard let options = try Sized.read(pointer, "vdsq_run_options") else { return }
    if options.threads > 0 { threads = Int(options.threads) }
    if options.concurrency > 0 { concurrency = Int(options.concurrency) }
    switch Int(options.precision) {
    case VDSQ_PRECISION_INTEGER: precision = .integer
    case VDSQ_PRECISION_HIGH: precision = .high
    default: throw .usage("precision is \(options.precision); VDSQ_PRECISION_... are possible")
    }
    switch Int(options.memory_policy) {
    case VDSQ_MEMORY_AUTOMATIC: memoryPolicy = nil
    case VDSQ_MEMORY_RESIDENT: memoryPolicy = .resident
    case VDSQ_MEMORY_RELEASE: memoryPolicy = .release
    case VDSQ_MEMORY_STREAM: memoryPolicy = .stream
    default:
      throw .usage("memory_policy is \(options.memory_policy); VDSQ_MEMORY_... are possible")
    }
    if options.memory_budget > 0 { memoryBudget = Int(clamping: options.memory_budget) }
    if try Arguments.flag(options.cuts_for_budget, "cuts_for_budget") {
      onCutForBudget = { _ in }
    }
    if options.maximum_tokens > 0 { maximumTokens = Int(options.maximum_tokens) }
    if options.batch > 0 { batch = Int(options.batch) }
    if options.dimensions > 0 { dimensions = Int(options.dimensions) }
    prompt = try Arguments.optionalString(options.prompt, "prompt")
  }
}

extension MemoryPolicy {
  /// Its number in the interface.
  var number: UInt32 {
    switch self {
    case .resident: UInt32(VDSQ_MEMORY_RESIDENT)
    case .release: UInt32(VDSQ_MEMORY_RELEASE)
    case .stream: UInt32(VDSQ_MEMORY_STREAM)
    }
  }
}
