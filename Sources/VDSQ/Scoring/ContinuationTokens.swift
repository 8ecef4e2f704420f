package import VDSQFormat
package import VDSQInference

/// The token ids of a context and of what continues it, by the conventions of
/// lm-evaluation-harness: white space at the end of the context belongs to the continuation, and
/// both are tokenized together.
package struct ContinuationTokens {
  /// The ids of the context, at least one.
  package private(set) var context: [Int32] = []
  private var both: [Int32] = []
  private var joined: [UInt8] = []

  package init() {}

  /// Reads a pair; its memory is used again for the next one.
  ///
  /// - Parameter beginning: the token in place of an empty context; nil if the file does not say.
  /// - Returns: the ids of the continuation, at least one.
  /// - Throws: `badInput` if the continuation has no tokens of its own, or an empty context no
  ///   token.
  package mutating func read(
    _ continuation: UnsafeRawBufferPointer, after text: UnsafeRawBufferPointer,
    _ encoder: TextEncoder, beginning: Int32?
  ) throws(VDSQError) -> ArraySlice<Int32> {
    let length = WhiteSpace.trimmedLength(text), frame = encoder.beginning
    joined.removeAll(keepingCapacity: true)
    joined.append(contentsOf: text)
    joined.append(contentsOf: continuation)
    joined.withUnsafeBytes { encoder.ids(of: $0, behind: length > 0 ? frame : [], into: &both) }
    if length > 0 {
      encoder.ids(
        of: UnsafeRawBufferPointer(rebasing: text[..<length]), behind: frame, into: &context)
    } else {
      context = Array(both.prefix(both.first == beginning ? 1 : 0))
    }
    let own = both[min(context.count, both.count)...]
    guard !own.isEmpty else { throw .badInput("the continuation has no tokens of its own") }
    if context.isEmpty {
      guard let beginning else {
        throw .badInput(
          "\(encoder.container.path): the file does not say with which token texts begin; give a "
            + "context, or convert the checkpoint again")
      }
      context = [beginning]
    }
    return own
  }
}
