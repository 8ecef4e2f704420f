import VDSQFormat
import VDSQInference

/// The keys and values of a prompt as bytes, so that the prompt need not be read again
/// (docs/format.md, "Prompt caches").
enum PromptCache {
  private static let magic = Array("VDSQKEYS".utf8)
  private static let version: UInt32 = 1
  /// More tokens than any model reads; products of such numbers do not overflow.
  private static let mostTokens = 1 << 24

  /// What the numbers depend on, in the order of the header.
  private static func conditions(_ encoder: TextEncoder) -> [UInt32]? {
    guard let rows = encoder.keptRows else { return nil }
    let precision: UInt32 =
      switch encoder.options.keyPrecision {
      case .float32: 0
      case .float16: 1
      case .int8: 2
      }
    return [
      version, encoder.container.identity, precision,
      encoder.options.precision == .high ? 1 : 0, UInt32(rows.layers), UInt32(rows.bytes),
    ]
  }

  /// Writes the first tokens of a text that an encoder has read, with their keys and values.
  ///
  /// - Parameter body: called with the parts of the file, in order.
  /// - Throws: what `body` throws.
  static func write(
    _ encoder: TextEncoder, place: Int, tokens: Int,
    _ body: (UnsafeRawBufferPointer) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    var ids = ByteWriter()
    for id in encoder.continuedIDs(inPlace: place).prefix(tokens) { ids.append(id) }
    let crc = CRC32()
    var checksum = ids.bytes.withUnsafeBytes { crc.checksum(of: $0) }
    encoder.forEachKept(inPlace: place, tokens) {
      checksum = crc.checksum(of: UnsafeRawBufferPointer($0), continuing: checksum)
    }
    var header = ByteWriter()
    header.append(bytes: magic)
    for condition in conditions(encoder) ?? [] { header.append(condition) }
    header.append(UInt32(tokens))
    header.append(checksum)
    header.append(bytes: ids.bytes)
    try header.bytes.withBytes { (raw) throws(VDSQError) in try body(raw) }
    var failure: VDSQError?
    encoder.forEachKept(inPlace: place, tokens) { rows in
      guard failure == nil else { return }
      do throws(VDSQError) { try body(UnsafeRawBufferPointer(rows)) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Gives an encoder a prompt that was read before.
  ///
  /// - Throws: `badInput` if the file is damaged, of another model or of other options.
  static func restore(
    _ file: UnsafeRawBufferPointer, path: String, into encoder: TextEncoder, place: Int
  ) throws(VDSQError) {
    var reader = ByteReader(file, context: "\(path): prompt cache")
    let start = try reader.take(magic.count, "magic")
    guard start.elementsEqual(magic) else {
      throw .badInput("\(path): this is no prompt cache")
    }
    let names = [
      "of another version", "of another model",
      "of another --cache-precision", "of another --precision", "damaged", "damaged",
    ]
    for (index, condition) in (conditions(encoder) ?? []).enumerated() {
      guard try reader.integer(UInt32.self, "header") == condition else {
        throw .badInput("\(path): the prompt cache is \(names[index])")
      }
    }
    let tokens = Int(try reader.integer(UInt32.self, "tokens"))
    let checksum = try reader.integer(UInt32.self, "checksum")
    guard let rows = encoder.keptRows, tokens > 0, tokens <= mostTokens,
      reader.remaining == tokens * (4 + 2 * rows.layers * rows.bytes)
    else {
      throw .badInput("\(path): the prompt cache is truncated, or has more bytes than it should")
    }
    let body = try reader.take(reader.remaining, "keys and values")
    guard CRC32().checksum(of: body) == checksum else {
      throw .badInput("\(path): the checksum of the prompt cache is wrong")
    }
    // A shorter prompt uses the beginning of a longer one.
    let kept = min(tokens, encoder.maximumTokens - 1)
    var ids: [Int32] = []
    for index in 0..<kept {
      let id = body.loadUnaligned(fromByteOffset: index * 4, as: Int32.self)
      guard id >= 0, Int(id) < encoder.vocabularySize else {
        throw .badInput("\(path): the prompt cache has a token that is not in the vocabulary")
      }
      ids.append(id)
    }
    var offset = tokens * 4
    encoder.forEachKept(inPlace: place, kept) { to in
      to.copyMemory(from: UnsafeRawBufferPointer(rebasing: body[offset..<offset + to.count]))
      offset += tokens * rows.bytes
    }
    encoder.beginText(inPlace: place, restored: ids)
  }
}
