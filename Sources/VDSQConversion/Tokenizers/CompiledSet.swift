import VDSQFormat
import VDSQTokenizers

/// A set of scalars in the form that the converter writes.
struct CompiledSet {
  struct Part {
    var inverted = false
    var categories: UInt32 = 0
    var ranges: [(UInt32, UInt32)] = []

    /// The scalar if the set has exactly one.
    var single: UInt32? {
      !inverted && categories == 0 && ranges.count == 1 && ranges[0].0 == ranges[0].1
        ? ranges[0].0 : nil
    }
  }

  let inverted: Bool
  let parts: [Part]

  /// `White_Space`.
  static let whitespace: [(UInt32, UInt32)] = [
    (9, 13), (32, 32), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
    (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
  ]
  /// Letters, marks, decimal digits and connecting punctuation.
  static let word: UInt32 = {
    let all: [GeneralCategory] = [.lu, .ll, .lt, .lm, .lo, .mn, .mc, .me, .nd, .pc]
    return all.reduce(0) { $0 | $1.bit }
  }()
  /// The script Han (Unicode 15.1).
  private static let han: [(UInt32, UInt32)] = [
    (0x2E80, 0x2E99), (0x2E9B, 0x2EF3), (0x2F00, 0x2FD5), (0x3005, 0x3005), (0x3007, 0x3007),
    (0x3021, 0x3029), (0x3038, 0x303B), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFA6D),
    (0xFA70, 0xFAD9), (0x16FE2, 0x16FE3), (0x16FF0, 0x16FF1), (0x20000, 0x2A6DF),
    (0x2A700, 0x2B739), (0x2B740, 0x2B81D), (0x2B820, 0x2CEA1), (0x2CEB0, 0x2EBE0),
    (0x2EBF0, 0x2EE5D), (0x2F800, 0x2FA1D), (0x30000, 0x3134A), (0x31350, 0x323AF),
  ]

  /// A general category by its short name, a group of categories by its letter, or the script Han.
  static func property(_ name: String, inverted: Bool) -> Part? {
    if name == "Han" || name == "Script=Han" { return Part(inverted: inverted, ranges: han) }
    var bits: UInt32 = 0
    for category in GeneralCategory.allCases
    where "\(category)" == name.lowercased() || "\(category)".hasPrefix(name.lowercased()) {
      bits |= category.bit
    }
    guard name.count <= 2, bits != 0 else { return nil }
    return Part(inverted: inverted, categories: bits)
  }

  func encode(to out: inout ByteWriter) {
    out.append(UInt32(inverted ? 1 : 0))
    out.append(UInt32(parts.count))
    for part in parts {
      out.append(UInt32(part.inverted ? 1 : 0))
      out.append(part.categories)
      out.append(UInt32(part.ranges.count))
      for (low, high) in part.ranges {
        out.append(low)
        out.append(high)
      }
    }
  }
}
