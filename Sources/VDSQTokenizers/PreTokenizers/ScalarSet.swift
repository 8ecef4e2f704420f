import VDSQFormat

/// A set of scalars: the union of ranges and general categories, some of them inverted.
struct ScalarSet: Sendable {
  private struct Part: Sendable {
    let inverted: Bool
    let categories: UInt32
    let ranges: [(UInt32, UInt32)]

    func contains(_ scalar: UInt32) -> Bool {
      var found = false
      for range in ranges where scalar >= range.0 && scalar <= range.1 { found = true }
      if !found, categories != 0 { found = categories & CharacterData.category(scalar).bit != 0 }
      return found != inverted
    }
  }

  private let inverted: Bool
  private var parts: [Part] = []
  /// A membership bit for each ASCII scalar.
  private var ascii: (UInt64, UInt64) = (0, 0)

  init(_ reader: inout ByteReader) throws(VDSQError) {
    inverted = try reader.integer(UInt32.self, "inverted") != 0
    let count = Int(try reader.integer(UInt32.self, "parts"))
    guard count <= 4096 else {
      throw .badInput("\(reader.context): a regular expression's set is too long")
    }
    for _ in 0..<count {
      let inverted = try reader.integer(UInt32.self, "inverted") != 0
      let categories = try reader.integer(UInt32.self, "categories")
      let rangeCount = Int(try reader.integer(UInt32.self, "ranges"))
      guard rangeCount <= 4096 else {
        throw .badInput("\(reader.context): a regular expression's set is too long")
      }
      var ranges: [(UInt32, UInt32)] = []
      for _ in 0..<rangeCount {
        let low = try reader.integer(UInt32.self, "range")
        ranges.append((low, try reader.integer(UInt32.self, "range")))
      }
      parts.append(Part(inverted: inverted, categories: categories, ranges: ranges))
    }
    for scalar in UInt32(0)..<64 where holds(scalar) { ascii.0 |= 1 << UInt64(scalar) }
    for scalar in UInt32(64)..<128 where holds(scalar) { ascii.1 |= 1 << UInt64(scalar - 64) }
  }

  private func holds(_ scalar: UInt32) -> Bool {
    for part in parts where part.contains(scalar) { return !inverted }
    return inverted
  }

  /// The end of the scalar at `position` if the scalar is in the set. The text must be valid UTF-8.
  @inline(__always)
  func next(_ text: UnsafeRawBufferPointer, _ position: Int) -> Int? {
    guard position < text.count else { return nil }
    let lead = text[position]
    if lead < 0x80 {
      let bits = lead < 64 ? ascii.0 : ascii.1
      return bits >> UInt64(lead & 63) & 1 == 1 ? position + 1 : nil
    }
    var decoder = UTF8Decoder(UnsafeRawBufferPointer(rebasing: text[position...]))
    guard let scalar = decoder.next(), holds(scalar) else { return nil }
    return position + decoder.position
  }
}
