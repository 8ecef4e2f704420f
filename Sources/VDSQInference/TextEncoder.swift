public import VDSQFormat
public import VDSQKernels
import VDSQTokenizers

/// A model file, ready to turn texts into vectors.
///
/// Texts are added to a batch until it is full; `encode` then makes a vector for each. Nothing is
/// allocated after the first batches.
public final class TextEncoder {
  public struct Options: Sendable {
    public var threads = 1
    public var precision = Precision.integer
    /// Tokens in a batch; raised to the model's longest sequence.
    public var tokenCapacity = 0
    /// The most tokens of one text, where less than the model's; nil for the model's.
    public var maximumTokens: Int?

    public init() {}
  }

  public let container: Container
  public let kernels: KernelTable
  public let threads: ThreadPool
  private let encoder: Encoder
  private let tokenizer: WordPieceTokenizer
  private let maximumTokens: Int
  private var batch = TokenBatch()

  /// - Throws: `missingInput` or `badInput` for the file, `usage` for options out of range.
  public convenience init(path: String, options: Options) throws(VDSQError) {
    try self.init(try Container(path: path, kind: .model), options: options)
  }

  public init(_ container: Container, options: Options) throws(VDSQError) {
    self.container = container
    kernels = try KernelTable.select()
    guard options.threads >= 1, options.threads <= 256 else {
      throw .usage("--threads \(options.threads): from 1 to 256")
    }
    threads = ThreadPool(count: options.threads)
    encoder = try Encoder(
      container, kernels: kernels, threads: threads, precision: options.precision,
      tokenCapacity: options.tokenCapacity)
    let vocabulary = try WordPieceVocabulary(
      section: try container.bytes(of: .tokenizer), path: container.path)
    guard vocabulary.count <= encoder.configuration.vocabularySize else {
      throw .badInput("\(container.path): the tokenizer has more tokens than the embedding table")
    }
    tokenizer = WordPieceTokenizer(vocabulary: vocabulary)
    let longest = encoder.configuration.maximumTokens
    let wanted = options.maximumTokens ?? longest
    guard wanted >= 2, wanted <= longest else {
      throw .usage("--max-tokens \(wanted): from 2 to \(longest), the model's longest sequence")
    }
    maximumTokens = wanted
  }

  /// Numbers in a vector.
  public var dimensions: Int { encoder.configuration.hiddenSize }
  public var plan: MemoryPlan { encoder.plan }
  public var configuration: EncoderConfiguration { encoder.configuration }

  /// Texts in the current batch.
  public var count: Int { batch.sequences }

  /// Whether a text of any length still fits into the batch.
  public var hasRoom: Bool { batch.ids.count + maximumTokens <= plan.tokenCapacity }

  /// Adds a text to the batch, which must have room.
  ///
  /// - Parameter text: UTF-8; what is invalid reads as U+FFFD.
  /// - Returns: how many tokens it has, and whether it was cut to the longest sequence.
  @discardableResult
  public func add(_ text: UnsafeRawBufferPointer) -> (tokens: Int, truncated: Bool) {
    let before = batch.ids.count
    let truncated = tokenizer.encode(text, limit: maximumTokens, into: &batch.ids)
    batch.endSequence()
    return (batch.ids.count - before, truncated)
  }

  /// Calls `body` with each vector of the batch, in order, and empties it.
  public func encode(
    _ body: (_ index: Int, _ vector: UnsafePointer<Float>) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    defer { batch.removeAll() }
    let vectors = try encoder.encode(batch)
    for i in 0..<batch.sequences { try body(i, vectors + i * dimensions) }
  }

  /// One text's vector; the batch must be empty.
  public func vector(of text: String) throws(VDSQError) -> [Float] {
    var result = [Float](repeating: 0, count: dimensions)
    var copy = text
    _ = copy.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    try encode { _, vector in
      for i in 0..<dimensions { result[i] = vector[i] }
    }
    return result
  }

  /// A token's UTF-8; empty for an id that no token has.
  public func token(_ id: Int32) -> UnsafeRawBufferPointer {
    tokenizer.vocabulary.text(of: Int(id))
  }

  /// The token ids of a text, special tokens included.
  public func tokens(of text: UnsafeRawBufferPointer) -> [Int32] {
    var ids: [Int32] = []
    _ = tokenizer.encode(text, limit: maximumTokens, into: &ids)
    return ids
  }
}
