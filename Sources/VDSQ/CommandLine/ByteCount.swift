/// A number of bytes as people write it.
package enum ByteCount {
  /// Parses `20971520`, `20M`, `20MiB` or `20MB`.
  ///
  /// `K`, `M`, `G`, `T`, with or without `iB`, are powers of 1024; with `B` they are powers of 1000.
  /// Case does not matter.
  ///
  /// - Returns: a number from 1 to 2^60; nil if the text is none.
  package static func parse(_ text: String) -> Int? {
    var rest = Array(text.utf8)[...]
    var number = 0
    while let digit = rest.first, digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") {
      let (product, overflows) = number.multipliedReportingOverflow(by: 10)
      guard !overflows, product <= largest else { return nil }
      number = product + Int(digit - UInt8(ascii: "0"))
      rest.removeFirst()
    }
    guard rest.count < text.utf8.count, let unit = unit(rest) else { return nil }
    let (bytes, overflows) = number.multipliedReportingOverflow(by: unit)
    return overflows || bytes < 1 || bytes > largest ? nil : bytes
  }

  private static let largest = 1 << 60

  /// The factor of a unit; nil for an unknown one.
  private static func unit(_ text: ArraySlice<UInt8>) -> Int? {
    // Lower-case letters differ in this bit.
    let name = text.map { $0 & 0xDF }
    guard let first = name.first else { return 1 }
    let power: Int
    switch first {
    case UInt8(ascii: "B"): return name.count == 1 ? 1 : nil
    case UInt8(ascii: "K"): power = 1
    case UInt8(ascii: "M"): power = 2
    case UInt8(ascii: "G"): power = 3
    case UInt8(ascii: "T"): power = 4
    default: return nil
    }
    let base: Int
    let suffix = name.dropFirst()
    if suffix.isEmpty || suffix.elementsEqual([UInt8(ascii: "I"), UInt8(ascii: "B")]) {
      base = 1024
    } else if suffix.elementsEqual([UInt8(ascii: "B")]) {
      base = 1000
    } else {
      return nil
    }
    var factor = 1
    for _ in 0..<power { factor *= base }
    return factor
  }
}
