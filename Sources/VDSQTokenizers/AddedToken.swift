import VDSQFormat

/// A token that is searched in the text before it is split, such as `[MASK]` or `<|endoftext|>`.
struct AddedToken: Sendable {
  struct Flags: OptionSet, Sendable {
    let rawValue: UInt32
    /// The token is searched in the normalized text, not in the raw text.
    static let normalized = Flags(rawValue: 1)
    /// Whitespace before the token, or after it, belongs to it.
    static let stripLeft = Flags(rawValue: 2)
    static let stripRight = Flags(rawValue: 4)
    /// The token is found only if no letter, digit or underscore is next to it.
    static let singleWord = Flags(rawValue: 8)
    /// The token controls the model and is no part of a text that it writes.
    static let special = Flags(rawValue: 16)
  }

  let id: Int32
  let flags: Flags
  nonisolated(unsafe) let text: UnsafeRawBufferPointer

  init(
    _ reader: inout ByteReader, text: UnsafeRawBufferPointer, vocabulary: Int
  ) throws(VDSQError) {
    id = try reader.integer(Int32.self, "id")
    flags = Flags(rawValue: try reader.integer(UInt32.self, "flags"))
    let offset = Int(try reader.integer(UInt32.self, "text offset"))
    let length = Int(try reader.integer(UInt32.self, "text length"))
    guard id >= 0, id < vocabulary, length > 0, offset <= text.count, length <= text.count - offset
    else { throw .badInput("\(reader.context): out of range") }
    self.text = UnsafeRawBufferPointer(rebasing: text[offset..<offset + length])
  }
}
