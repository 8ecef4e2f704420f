import VDSQFormat

/// A pattern of tensors' names, in which `*` stands for any characters.
struct NamePattern {
  private let pattern: [UInt8]

  init(_ text: String) { pattern = Array(text.utf8) }

  /// Whether the pattern is the whole name.
  func matches(_ name: String) -> Bool {
    let name = Array(name.utf8)
    return ends(in: name).contains(name.count)
  }

  /// Whether the pattern is the name, or its beginning up to a dot.
  func matchesBeginning(of name: String) -> Bool {
    let name = Array(name.utf8)
    return ends(in: name).contains { $0 == name.count || name[$0] == UInt8(ascii: ".") }
  }

  /// The positions in a name at which the pattern can end.
  private func ends(in name: [UInt8]) -> Set<Int> {
    var ends: Set<Int> = [0]
    for byte in pattern {
      if byte == UInt8(ascii: "*") {
        ends = Set(ends.min()!...name.count)
      } else {
        ends = Set(ends.compactMap { $0 < name.count && name[$0] == byte ? $0 + 1 : nil })
      }
      if ends.isEmpty { return [] }
    }
    return ends
  }
}
