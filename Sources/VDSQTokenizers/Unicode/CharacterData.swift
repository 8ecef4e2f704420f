/// Lookups in the tables of `UnicodeTables`.
enum CharacterData {
  static func characterClass(_ scalar: UInt32) -> CharacterClass {
    let index = lastIndex(in: UnicodeTables.classes, notAbove: scalar << 8 | 0xFF)
    return CharacterClass(rawValue: UInt8(truncatingIfNeeded: UnicodeTables.classes[index]))
  }

  /// Calls `body` with each scalar of the canonical decomposition.
  static func decompose(_ scalar: UInt32, _ body: (UInt32) -> Void) {
    // Hangul syllables decompose by arithmetic (Unicode standard, section 3.12).
    if scalar >= 0xAC00, scalar < 0xAC00 + 11172 {
      let index = scalar - 0xAC00
      body(0x1100 + index / 588)
      body(0x1161 + index % 588 / 28)
      if index % 28 != 0 { body(0x11A7 + index % 28) }
      return
    }
    map(
      scalar, UnicodeTables.decompositionKeys, UnicodeTables.decompositionEnds,
      UnicodeTables.decompositionScalars, body)
  }

  /// Calls `body` with each scalar of the lower-case form.
  static func lowercase(_ scalar: UInt32, _ body: (UInt32) -> Void) {
    if scalar < 0x80 { return body(scalar >= 0x41 && scalar <= 0x5A ? scalar + 32 : scalar) }
    map(
      scalar, UnicodeTables.lowercaseKeys, UnicodeTables.lowercaseEnds,
      UnicodeTables.lowercaseScalars, body)
  }

  /// The canonical combining class of a scalar that is not a nonspacing mark.
  static func combiningClass(_ scalar: UInt32) -> UInt8 {
    let table = UnicodeTables.combining
    guard scalar << 8 >= table[0] & ~0xFF else { return 0 }
    let entry = table[lastIndex(in: table, notAbove: scalar << 8 | 0xFF)]
    return entry >> 8 == scalar ? UInt8(truncatingIfNeeded: entry) : 0
  }

  /// Calls `body` with each scalar of the compatibility decomposition.
  static func decomposeCompatibly(_ scalar: UInt32, _ body: (UInt32) -> Void) {
    let keys = UnicodeTables.compatibilityKeys
    guard scalar >= keys[0], keys[lastIndex(in: keys, notAbove: scalar)] == scalar else {
      return decompose(scalar, body)
    }
    map(
      scalar, keys, UnicodeTables.compatibilityEnds, UnicodeTables.compatibilityScalars, body)
  }

  /// The canonical combining class.
  static func order(_ scalar: UInt32) -> UInt8 {
    if scalar < 0x300 { return 0 }
    let table = UnicodeTables.orders
    return UInt8(truncatingIfNeeded: table[lastIndex(in: table, notAbove: scalar << 8 | 0xFF)])
  }

  /// The canonical composition of two scalars.
  static func compose(_ a: UInt32, _ b: UInt32) -> UInt32? {
    // Hangul syllables compose by arithmetic (Unicode standard, section 3.12).
    if a >= 0x1100, a < 0x1113, b >= 0x1161, b < 0x1176 {
      return 0xAC00 + (a - 0x1100) * 588 + (b - 0x1161) * 28
    }
    if a >= 0xAC00, a < 0xAC00 + 11172, (a - 0xAC00) % 28 == 0, b > 0x11A7, b < 0x11C3 {
      return a + (b - 0x11A7)
    }
    let table = UnicodeTables.compositions
    var low = 0
    var high = table.count / 3
    while low < high {
      let middle = (low + high) / 2
      let entry = (table[middle * 3], table[middle * 3 + 1])
      if entry == (a, b) { return table[middle * 3 + 2] }
      if entry < (a, b) { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  /// The general category.
  static func category(_ scalar: UInt32) -> GeneralCategory {
    let table = UnicodeTables.categories
    let entry = table[lastIndex(in: table, notAbove: scalar << 8 | 0xFF)]
    return GeneralCategory(rawValue: UInt8(truncatingIfNeeded: entry))!
  }

  /// Whether Hugging Face's tokenizers strip a scalar as an accent.
  static func isStrippedMark(_ scalar: UInt32) -> Bool {
    guard category(scalar).isMark else { return false }
    let kept = UnicodeTables.keptMarks
    return scalar < kept[0] || kept[lastIndex(in: kept, notAbove: scalar)] != scalar
  }

  /// Whether the scalar has the Unicode property `White_Space`.
  static func isWhitespace(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 9...13, 32, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000:
      true
    default: false
    }
  }

  private static func map(
    _ scalar: UInt32, _ keys: [UInt32], _ ends: [UInt16], _ scalars: [UInt32],
    _ body: (UInt32) -> Void
  ) {
    guard scalar >= keys[0] else { return body(scalar) }
    let index = lastIndex(in: keys, notAbove: scalar)
    guard keys[index] == scalar else { return body(scalar) }
    for i in (index == 0 ? 0 : Int(ends[index - 1]))..<Int(ends[index]) { body(scalars[i]) }
  }

  /// The last index whose value is at most `limit`. The first value must be at most `limit`.
  private static func lastIndex(in table: [UInt32], notAbove limit: UInt32) -> Int {
    var low = 0
    var high = table.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if table[middle] <= limit { low = middle } else { high = middle }
    }
    return low
  }
}
