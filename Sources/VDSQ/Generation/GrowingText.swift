/// A text that grows token by token, and what of it can be shown: not the bytes of an incomplete
/// character, nor what may be the beginning of a text that ends it.
package struct GrowingText {
  /// The text so far.
  package private(set) var bytes: [UInt8] = []
  /// The number of bytes that can be shown.
  package private(set) var settled = 0
  private let stops: [[UInt8]]

  /// - Parameter stops: the texts that end it, none of them empty.
  package init(stops: [[UInt8]]) { self.stops = stops }

  /// Appends the bytes of a token.
  ///
  /// - Returns: whether one of the stops came; the text ends before it.
  package mutating func append(_ piece: [UInt8]) -> Bool {
    let first = bytes.count
    bytes.append(contentsOf: piece)
    for end in first..<bytes.count {
      // The stop that is complete first counts; of several the longest.
      var length = 0
      for stop in stops where stop.count > length && endsWith(stop, at: end + 1) {
        length = stop.count
      }
      if length > 0 {
        bytes.removeLast(bytes.count - (end + 1 - length))
        settled = min(settled, bytes.count)
        finish()
        return true
      }
    }
    settled = max(settled, bytes.count - max(incomplete, beginningOfStop))
    return false
  }

  /// Shows all of it.
  package mutating func finish() { settled = bytes.count }

  private func endsWith(_ stop: [UInt8], at end: Int) -> Bool {
    end >= stop.count && bytes[end - stop.count..<end].elementsEqual(stop)
  }

  /// The number of bytes at the end that may begin a stop.
  private var beginningOfStop: Int {
    var longest = 0
    for stop in stops {
      var length = min(stop.count - 1, bytes.count)
      while length > longest {
        if bytes[(bytes.count - length)...].elementsEqual(stop[..<length]) {
          longest = length
        }
        length -= 1
      }
    }
    return longest
  }

  /// The number of bytes at the end that are the beginning of a character.
  private var incomplete: Int {
    for back in 1...3 {
      guard back <= bytes.count else { return 0 }
      let byte = bytes[bytes.count - back]
      if byte & 0xC0 == 0x80 { continue }
      let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
      return length > back ? back : 0
    }
    return 0
  }
}
