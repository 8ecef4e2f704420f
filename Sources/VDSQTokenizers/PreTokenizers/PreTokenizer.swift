import VDSQFormat

/// Splits a normalized text into words by steps. Each step splits the pieces of the step before.
package struct PreTokenizer: Sendable {
  /// The code of a step in the file.
  package enum Code: UInt32, Sendable {
    /// Ends the list of steps; it has no operands.
    case end = 0
    /// Behaviour, inverted (0, 1), a regular expression.
    case split = 1
    /// Puts a space before text that does not begin with one.
    case prefixSpace = 2
    /// Scheme, split (0, 1), the text that replaces a space.
    case metaspace = 3
  }

  /// The treatment of the matches of a split.
  package enum Behavior: UInt32, Sendable {
    /// Matches are dropped; the gaps between them are the words.
    case removed = 0
    /// Each match and each gap is a word.
    case isolated = 1
    /// A match is appended to the gap before it.
    case mergedWithPrevious = 2
    /// A match is prepended to the gap after it.
    case mergedWithNext = 3
    /// Consecutive matches are one word.
    case contiguous = 4
  }

  /// The words that get a metaspace in front.
  package enum Scheme: UInt32, Sendable {
    /// No word gets one.
    case never = 0
    /// Only the word at the start of the input gets one.
    case first = 1
    /// Every piece gets one, unless it begins with one.
    case always = 2
  }

  enum Step: Sendable {
    case split(RegexProgram, Behavior, inverted: Bool)
    case prefixSpace
    case metaspace([UInt8], Scheme, split: Bool)
  }

  private(set) var steps: [Step] = []

  /// Reads steps up to their end.
  ///
  /// - Throws: `badInput` if a step is unknown or cut short.
  init(_ reader: inout ByteReader) throws(VDSQError) {
    while true {
      let code = try reader.integer(UInt32.self, "pre-tokenizer step")
      switch Code(rawValue: code) {
      case .end: return
      case .split:
        let behavior = Behavior(rawValue: try reader.integer(UInt32.self, "behaviour"))
        let inverted = try reader.integer(UInt32.self, "inverted") != 0
        guard let behavior else {
          throw .badInput("\(reader.context): a split's behaviour is not known")
        }
        steps.append(.split(try RegexProgram(&reader), behavior, inverted: inverted))
      case .prefixSpace: steps.append(.prefixSpace)
      case .metaspace:
        let scheme = Scheme(rawValue: try reader.integer(UInt32.self, "scheme"))
        let split = try reader.integer(UInt32.self, "split") != 0
        let replacement = try reader.bytes("replacement")
        guard let scheme, !replacement.isEmpty else {
          throw .badInput("\(reader.context): a metaspace's scheme is not known")
        }
        steps.append(.metaspace(replacement, scheme, split: split))
      case nil: throw .badInput("\(reader.context): pre-tokenizer step \(code) is not known")
      }
    }
  }

  /// Calls `body` with each word until it returns false.
  ///
  /// - Parameter isFirst: whether the text is at the start of the input.
  func forEachWord(
    _ text: UnsafeRawBufferPointer, isFirst: Bool, _ stack: inout RegexProgram.Stack,
    _ body: (UnsafeRawBufferPointer) -> Bool
  ) {
    _ = apply(0, text, isFirst, &stack, body)
  }

  /// Applies the steps from `index` on.
  ///
  /// - Returns: whether to continue.
  private func apply(
    _ index: Int, _ text: UnsafeRawBufferPointer, _ isFirst: Bool,
    _ stack: inout RegexProgram.Stack, _ body: (UnsafeRawBufferPointer) -> Bool
  ) -> Bool {
    if text.isEmpty { return true }
    guard index < steps.count else { return body(text) }
    switch steps[index] {
    case .prefixSpace:
      if text[0] == 0x20 { return apply(index + 1, text, isFirst, &stack, body) }
      let spaced = [0x20] + Array(text)
      return spaced.withUnsafeBytes { apply(index + 1, $0, isFirst, &stack, body) }
    case .metaspace(let replacement, let scheme, let split):
      var marked: [UInt8] = []
      marked.reserveCapacity(text.count + replacement.count)
      for byte in text {
        if byte == 0x20 { marked += replacement } else { marked.append(byte) }
      }
      let wanted = scheme == .always || (scheme == .first && isFirst)
      if wanted, !marked.starts(with: replacement) { marked = replacement + marked }
      return marked.withUnsafeBytes { marked in
        guard split else { return apply(index + 1, marked, isFirst, &stack, body) }
        return splitBefore(replacement, marked) { piece, isStart in
          apply(index + 1, piece, isFirst && isStart, &stack, body)
        }
      }
    case .split(let program, let behavior, let inverted):
      return self.split(text, program, behavior, inverted, &stack) { piece, stack in
        apply(
          index + 1, piece, isFirst && piece.baseAddress == text.baseAddress, &stack, body)
      }
    }
  }

  /// Splits into pieces that each begin with a mark, except possibly the first.
  private func splitBefore(
    _ mark: [UInt8], _ text: UnsafeRawBufferPointer,
    _ body: (_ piece: UnsafeRawBufferPointer, _ isStart: Bool) -> Bool
  ) -> Bool {
    var start = 0
    var position = mark.count
    while position + mark.count <= text.count {
      if text[position] == mark[0],
        text[position..<position + mark.count].elementsEqual(mark)
      {
        if !body(UnsafeRawBufferPointer(rebasing: text[start..<position]), start == 0) {
          return false
        }
        start = position
        position += mark.count
      } else {
        position += 1
      }
    }
    return body(UnsafeRawBufferPointer(rebasing: text[start...]), start == 0)
  }

  private func split(
    _ text: UnsafeRawBufferPointer, _ program: RegexProgram, _ behavior: Behavior,
    _ inverted: Bool, _ stack: inout RegexProgram.Stack,
    _ body: (UnsafeRawBufferPointer, inout RegexProgram.Stack) -> Bool
  ) -> Bool {
    var joiner = PieceJoiner(behavior: behavior)
    func give(_ range: Range<Int>?, _ stack: inout RegexProgram.Stack) -> Bool {
      guard let range, !range.isEmpty else { return true }
      return body(UnsafeRawBufferPointer(rebasing: text[range]), &stack)
    }
    var gap = 0
    var position = 0
    while position < text.count {
      guard let end = program.match(text, at: position, &stack), end > position else {
        position += TextNormalizer.scalarLength(text[position])
        continue
      }
      if gap < position {
        guard give(joiner.add(gap..<position, isMatch: inverted), &stack) else { return false }
      }
      guard give(joiner.add(position..<end, isMatch: !inverted), &stack) else { return false }
      position = end
      gap = end
    }
    if gap < text.count {
      guard give(joiner.add(gap..<text.count, isMatch: inverted), &stack) else { return false }
    }
    return give(joiner.end(), &stack)
  }
}

/// Joins the matches and gaps of a split according to its behaviour. Each piece is returned one
/// step late.
private struct PieceJoiner {
  let behavior: PreTokenizer.Behavior
  private var waiting: Range<Int>?
  private var wasMatch = false

  init(behavior: PreTokenizer.Behavior) { self.behavior = behavior }

  /// - Returns: a piece that is complete.
  mutating func add(_ range: Range<Int>, isMatch: Bool) -> Range<Int>? {
    defer { wasMatch = isMatch }
    switch behavior {
    case .removed: return isMatch ? nil : range
    case .isolated: return range
    case .mergedWithPrevious:
      if isMatch, !wasMatch, let before = waiting {
        waiting = before.lowerBound..<range.upperBound
        return nil
      }
    case .mergedWithNext:
      // A match waits for the gap that follows it; among several matches, the last one waits.
      if wasMatch, !isMatch, let before = waiting {
        waiting = before.lowerBound..<range.upperBound
        return nil
      }
    case .contiguous:
      if let before = waiting, isMatch == wasMatch {
        waiting = before.lowerBound..<range.upperBound
        return nil
      }
    }
    defer { waiting = range }
    return waiting
  }

  mutating func end() -> Range<Int>? {
    defer { waiting = nil }
    return waiting
  }
}
