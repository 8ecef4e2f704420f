/// A string that is equal to another only if their bytes are.
///
/// `String` takes canonically equivalent texts for equal: "é" in one scalar and "e" with a combining
/// accent, or "K" and the sign of the kelvin. Tokens, names and labels that differ like this are
/// different. So they are keys of dictionaries and members of sets as this type, which also orders
/// them by their bytes, and are compared with `hasSameBytes`.
///
///     var ids: [ByteString: Int] = [ByteString("é"): 7]
///     ids[ByteString("e\u{301}")]  // nil
package struct ByteString: Hashable, Comparable, Sendable {
  /// The text.
  package let text: String

  package init(_ text: String) { self.text = text }

  package static func == (a: Self, b: Self) -> Bool { a.text.hasSameBytes(as: b.text) }

  package func hash(into hasher: inout Hasher) {
    for byte in text.utf8 { hasher.combine(byte) }
  }

  package static func < (a: Self, b: Self) -> Bool {
    a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
  }
}

extension String {
  /// Whether both strings have the same bytes.
  package func hasSameBytes(as other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
  }

  /// Whether the string begins with the bytes of another. `hasPrefix` is false where a combining
  /// mark follows.
  package func startsWithBytes(of prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }

  /// Whether the string ends with the bytes of another.
  package func endsWithBytes(of suffix: String) -> Bool {
    utf8.reversed().starts(with: suffix.utf8.reversed())
  }

  /// The parts between the occurrences of an ASCII character, empty ones among them. `split` does
  /// not find one that a combining mark follows.
  package func parts(between separator: UInt8) -> [String] {
    utf8.split(separator: separator, omittingEmptySubsequences: false).map {
      String(Substring($0))
    }
  }
}

extension Sequence<String> {
  /// The texts as they can be compared: by their bytes.
  package var byteStrings: Set<ByteString> { Set(map(ByteString.init)) }
}

extension Collection<String> {
  /// The first place of a text, compared by bytes.
  package func firstIndex(ofBytes text: String) -> Index? {
    firstIndex { $0.hasSameBytes(as: text) }
  }
}
