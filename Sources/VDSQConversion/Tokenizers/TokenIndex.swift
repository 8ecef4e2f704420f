import VDSQCheckpoints
import VDSQFormat
import VDSQTokenizers

/// Maps texts to ids, byte for byte: a hash table that stores ids only.
struct TokenIndex {
  private let texts: [String?]
  private var slots: [Int32]

  init(_ texts: [String?]) {
    self.texts = texts
    var size = 64
    while size < texts.count * 2 { size *= 2 }
    slots = [Int32](repeating: -1, count: size)
    for (id, text) in texts.enumerated() {
      guard let text else { continue }
      let (slot, found) = place(of: text)
      if found == nil { slots[slot] = Int32(id) }
    }
  }

  /// The first id that has the text.
  func find(_ text: String) -> Int? { place(of: text).id }

  private func place(of text: String) -> (slot: Int, id: Int?) {
    var slot = Int(Self.hash(text)) & (slots.count - 1)
    while slots[slot] >= 0 {
      let id = Int(slots[slot])
      if texts[id]!.utf8.elementsEqual(text.utf8) { return (slot, id) }
      slot = (slot + 1) & (slots.count - 1)
    }
    return (slot, nil)
  }

  /// FNV-1a.
  private static func hash(_ text: String) -> UInt32 {
    text.utf8.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
  }
}
