import VDSQFormat
import VDSQInference
import VDSQSemantics

/// Encoders over one map, one for each caller that is served at a time.
///
/// Makes the first encoder at once and others when they are needed. A caller that finds all of them
/// in use waits.
final class EncoderPool: @unchecked Sendable {
  private let model: Model
  private let options: TextEncoder.Options
  private let steering: Steering?
  private let capacity: Int
  private let lock = Lock()
  // Guarded by the lock.
  private var free: [TextEncoder] = []
  private var made = 0

  /// Opens a model under the policy of the options, or under the fastest policy that their budget
  /// allows.
  ///
  /// - Parameters:
  ///   - adapter: the adapter that changes the encoder, if any.
  ///   - continuations: the tokens of label words that may follow a text.
  ///   - rows: the rows of the vocabulary with which states are compared.
  ///   - more: bytes of labels, of the adapter and of answers.
  /// - Throws: `budgetTooSmall`, naming the smallest sufficient budget; the errors of opening the
  ///   model.
  init(
    _ model: Model, _ run: RunOptions, adapter: Adapter?,
    continuations: TokenTree.Size = TokenTree.Size(),
    comparing rows: TextEncoder.ComparedRows = .none, more: Int
  ) throws(VDSQError) {
    let isValid = run.concurrency >= 1 && run.concurrency <= 4096
    guard isValid else {
      throw .usage("\(counted(run.concurrency, "caller")): from 1 to 4096 are possible")
    }
    guard run.batch.map({ $0 >= 1 && $0 <= 4096 }) ?? true else {
      throw .usage("a batch has from 1 to 4096 texts")
    }
    var options = try model.encoderOptions(
      run, intermediateFeatures: adapter?.intermediateFeatures ?? [],
      continuations: continuations, comparing: rows, more: more)
    try adapter?.complete(&options)
    capacity = run.concurrency
    self.model = model
    self.options = options
    let first = try model.encoder(options)
    if let adapter, adapter.labels.dimensions != first.dimensions {
      throw .badInput("\(model.path): the adapter's dimensions are not the model's")
    }
    try first.steer(run.steering) { run.onNote?($0) }
    steering = first.steering
    free = [first]
    made = 1
  }

  /// Releases pages that opening touched, more than are used afterwards.
  func settle() { model.settle(options.policy) }

  /// An encoder for one caller, who must return it.
  func take() throws(VDSQError) -> TextEncoder {
    lock.lock()
    defer { lock.unlock() }
    while free.isEmpty && made >= capacity { lock.wait() }
    if let encoder = free.popLast() { return encoder }
    // Under the lock, because opening changes the addresses of a container's sections.
    let encoder = try model.encoder(options)
    try encoder.steer(steering)
    made += 1
    return encoder
  }

  /// Returns an encoder to the pool.
  func give(_ encoder: TextEncoder) {
    lock.lock()
    free.append(encoder)
    lock.signal()
    lock.unlock()
  }
}
