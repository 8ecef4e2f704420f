import VDSQFormat

/// Parses the regular expressions that texts can be constrained by.
struct RegexParser {
  private let scalars: [UInt32]
  private var position = 0
  private var depth = 0
  private static let mostRepeats = 1000
  private static let mostDepth = 100
  private static let last: UInt32 = 0x10FFFF

  init(_ pattern: String) { scalars = pattern.unicodeScalars.map { $0.value } }

  private var next: UInt32? { position < scalars.count ? scalars[position] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == character.value else { return false }
    position += 1
    return true
  }

  private func refused(_ what: String) -> VDSQError {
    .usage("the regular expression: \(what), at character \(position + 1)")
  }

  /// The whole expression; `^` and `$` around it change nothing.
  mutating func whole() throws(VDSQError) -> RegexExpression {
    _ = take("^")
    let expression = try either()
    guard next == nil else { throw refused("a parenthesis is not opened") }
    return expression
  }

  private mutating func either() throws(VDSQError) -> RegexExpression {
    var parts = [try sequence()]
    while take("|") { parts.append(try sequence()) }
    return parts.count == 1 ? parts[0] : .either(parts)
  }

  private mutating func sequence() throws(VDSQError) -> RegexExpression {
    var parts: [RegexExpression] = []
    while let c = next, c != 0x7C, c != 0x29 {
      if c == 0x24, position + 1 == scalars.count {
        position += 1
        break
      }
      parts.append(try repeated(try atom()))
    }
    return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func repeated(
    _ part: RegexExpression
  ) throws(VDSQError) -> RegexExpression {
    var result = part
    switch next {
    case 0x2A: result = .repeated(part, 0, nil)
    case 0x2B: result = .repeated(part, 1, nil)
    case 0x3F: result = .repeated(part, 0, 1)
    case 0x7B:
      position += 1
      guard let least = number() else { throw refused("a number is expected behind {") }
      var most: Int? = least
      if take(",") { most = number() }
      guard next == 0x7D, least <= Self.mostRepeats, most ?? least >= least,
        most ?? 0 <= Self.mostRepeats
      else { throw refused("{m,n} has numbers up to \(Self.mostRepeats), m up to n") }
      result = .repeated(part, least, most)
    default: return part
    }
    position += 1
    // A lazy repetition matches the same texts as a whole.
    _ = take("?")
    if let c = next, [0x2A, 0x2B, 0x3F, 0x7B].contains(c) {
      throw refused("a repetition of a repetition; put it in parentheses")
    }
    return result
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let c = next, c >= 0x30, c <= 0x39, value ?? 0 < 1 << 20 {
      value = (value ?? 0) * 10 + Int(c - 0x30)
      position += 1
    }
    return value
  }

  private mutating func atom() throws(VDSQError) -> RegexExpression {
    let c = next!
    position += 1
    switch c {
    case 0x28:
      if take("?") {
        guard take(":") else { throw refused("groups of this kind are not supported") }
      }
      depth += 1
      guard depth <= Self.mostDepth else { throw refused("too many groups within groups") }
      let inner = try either()
      depth -= 1
      guard take(")") else { throw refused("a parenthesis is not closed") }
      return inner
    case 0x5B: return .scalars(try characterClass())
    case 0x2E: return .scalars(Self.complement([0x0A...0x0A]))
    case 0x5C: return .scalars(try escape())
    case 0x5E, 0x24: throw refused("^ and $ are supported at the ends only")
    case 0x2A, 0x2B, 0x3F, 0x7B: throw refused("a repetition of nothing")
    default: return .scalars([c...c])
    }
  }

  /// The characters of an escape, whose backslash is read.
  private mutating func escape() throws(VDSQError) -> [ClosedRange<UInt32>] {
    guard let c = next else { throw refused("a backslash at the end") }
    position += 1
    let digits: [ClosedRange<UInt32>] = [0x30...0x39]
    let word: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
    let space: [ClosedRange<UInt32>] = [0x09...0x0D, 0x20...0x20]
    switch c {
    case 0x64: return digits
    case 0x44: return Self.complement(digits)
    case 0x77: return word
    case 0x57: return Self.complement(word)
    case 0x73: return space
    case 0x53: return Self.complement(space)
    case 0x6E: return [0x0A...0x0A]
    case 0x72: return [0x0D...0x0D]
    case 0x74: return [0x09...0x09]
    case 0x66: return [0x0C...0x0C]
    case 0x78, 0x75:
      var value: UInt32 = 0
      for _ in 0..<(c == 0x78 ? 2 : 4) {
        guard let digit = next.flatMap({ Self.hexadecimal($0) }) else {
          throw refused("hexadecimal digits are expected")
        }
        value = value << 4 | digit
        position += 1
      }
      return [value...value]
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A:
      position -= 1
      throw refused("the escape \\\(Self.text(c)) is not supported")
    default: return [c...c]
    }
  }

  private static func text(_ scalar: UInt32) -> String {
    Unicode.Scalar(scalar).map { String(Character($0)) } ?? ""
  }

  private static func hexadecimal(_ c: UInt32) -> UInt32? {
    switch c {
    case 0x30...0x39: c - 0x30
    case 0x41...0x46: c - 0x41 + 10
    case 0x61...0x66: c - 0x61 + 10
    default: nil
    }
  }

  /// The characters of a class, whose bracket is read.
  private mutating func characterClass() throws(VDSQError) -> [ClosedRange<UInt32>] {
    let isNegated = take("^")
    var ranges: [ClosedRange<UInt32>] = []
    var isFirst = true
    while true {
      guard let c = next else { throw refused("a class is not closed") }
      if c == 0x5D, !isFirst { break }
      isFirst = false
      let low = try member()
      guard low.count == 1, low[0].count == 1, next == 0x2D, position + 1 < scalars.count,
        scalars[position + 1] != 0x5D
      else {
        ranges += low
        continue
      }
      position += 1
      let high = try member()
      guard high.count == 1, high[0].count == 1, low[0].lowerBound <= high[0].lowerBound else {
        throw refused("a range of a class is not in order")
      }
      ranges.append(low[0].lowerBound...high[0].lowerBound)
    }
    position += 1
    return isNegated ? Self.complement(ranges) : ranges
  }

  private mutating func member() throws(VDSQError) -> [ClosedRange<UInt32>] {
    guard let c = next else { throw refused("a class is not closed") }
    position += 1
    guard c == 0x5C else { return [c...c] }
    // In a class, \b would be a backspace.
    return try escape()
  }

  /// All scalars but those of some ranges.
  private static func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var result: [ClosedRange<UInt32>] = []
    var first: UInt32 = 0
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > first { result.append(first...range.lowerBound - 1) }
      if range.upperBound >= first { first = range.upperBound + 1 }
    }
    if first <= last { result.append(first...last) }
    return result
  }
}
