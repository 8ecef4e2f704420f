public import CVDSQ
import VDSQ

/// An embedder, with the tokenizer of its encoders.
final class EmbedderHandle: Handle, @unchecked Sendable {
  override class var kind: String { "an embedder" }

  let embedder: TextEmbedder

  init(
    _ model: OpaquePointer?, _ options: UnsafePointer<vdsq_run_options>?
  ) throws(VDSQError) {
    embedder = try TextEmbedder(
      model: try ModelHandle.find(model).model, options: try RunOptions(options))
  }

  /// Writes the vector of each text.
  ///
  /// - Parameters:
  ///   - vectors: `[texts, dimensions]`.
  ///   - info: an element for each text; nil if it is not wanted.
  func embed(
    _ texts: Texts, into vectors: UnsafeMutablePointer<Float>,
    _ info: UnsafeMutablePointer<vdsq_text_info>?
  ) throws(VDSQError) {
    try embedder.withEncoder { (encoder) throws(VDSQError) in
      var done = 0
      func flush() throws(VDSQError) {
        try encoder.encode { _, vector in
          (vectors + done * embedder.dimensions).update(from: vector, count: embedder.dimensions)
          done += 1
        }
      }
      for index in 0..<texts.count {
        if !encoder.hasRoom { try flush() }
        let added = encoder.add(texts[index])
        info?[index] = vdsq_text_info(
          tokens: added.tokens, isTruncated: added.truncated,
          isBlank: BlankText.isBlank(texts[index]))
      }
      try flush()
    }
  }
}

extension vdsq_text_info {
  init(tokens: Int, isTruncated: Bool, isBlank: Bool) {
    self.init()
    self.tokens = UInt32(tokens)
    if isTruncated { flags |= UInt32(VDSQ_TEXT_TRUNCATED) }
    if isBlank { flags |= UInt32(VDSQ_TEXT_BLANK) }
  }
}

@c @implementation
public func vdsq_embedder_open(
  _ model: OpaquePointer!, _ options: UnsafePointer<vdsq_run_options>!,
  _ embedder: UnsafeMutablePointer<OpaquePointer?>!
) -> vdsq_status {
  Handle.open(embedder) { () throws(VDSQError) in try EmbedderHandle(model, options) }
}

@c @implementation
public func vdsq_embedder_close(_ embedder: OpaquePointer!) { EmbedderHandle.close(embedder) }

@c @implementation
public func vdsq_embedder_dimensions(_ embedder: OpaquePointer!) -> Int {
  EmbedderHandle.find(open: embedder)?.embedder.dimensions ?? 0
}

@c @implementation
public func vdsq_embedder_maximum_tokens(_ embedder: OpaquePointer!) -> Int {
  EmbedderHandle.find(open: embedder)?.embedder.maximumTokens ?? 0
}

@c @implementation
public func vdsq_embed(
  _ embedder: OpaquePointer!, _ texts: UnsafePointer<UnsafePointer<CChar>?>!,
  _ lengths: UnsafePointer<Int>!, _ count: Int, _ vectors: UnsafeMutablePointer<Float>!,
  _ capacity: Int, _ info: UnsafeMutablePointer<vdsq_text_info>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    let embedder = try EmbedderHandle.find(embedder)
    let texts = try Texts(texts, lengths, count, "texts")
    guard count > 0 else { return }
    guard let vectors else { throw .usage("vectors is NULL") }
    try Arguments.check(capacity, holds: count, of: embedder.embedder.dimensions, "vectors")
    try embedder.embed(texts, into: vectors, info)
  }
}

@c @implementation
public func vdsq_tokens(
  _ embedder: OpaquePointer!, _ text: UnsafePointer<CChar>!, _ length: Int,
  _ ids: UnsafeMutablePointer<Int32>!, _ capacity: Int, _ count: UnsafeMutablePointer<Int>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    let embedder = try EmbedderHandle.find(embedder).embedder
    let text = try Texts.one(text, length, "text")
    let found = try embedder.withEncoder { $0.tokens(of: text) }
    try Arguments.give(found, to: ids, capacity, count, "ids")
  }
}

@c @implementation
public func vdsq_token_text(
  _ embedder: OpaquePointer!, _ id: Int32, _ bytes: UnsafeMutablePointer<CChar>!,
  _ capacity: Int, _ length: UnsafeMutablePointer<Int>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    let embedder = try EmbedderHandle.find(embedder).embedder
    let text = try embedder.withEncoder { $0.token(id) }
    try Arguments.give(text.map { CChar(bitPattern: $0) }, to: bytes, capacity, length, "bytes")
  }
}
