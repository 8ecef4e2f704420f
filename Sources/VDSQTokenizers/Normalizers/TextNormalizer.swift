import VDSQFormat

/// Normalizes a text before it is split. Each step goes from one buffer to the next.
package struct TextNormalizer: Sendable {
  /// The code of a step in the file.
  package enum Code: UInt32, Sendable {
    /// Ends the list of steps; it has no operands.
    case end = 0
    /// NFC, NFD, NFKC, NFKD: compatible (0, 1), composed (0, 1).
    case form = 1
    /// Maps each scalar to lower case; no operands.
    case lowercase = 2
    /// Drops combining marks (`StripAccents` in Hugging Face's tokenizers); no operands.
    case stripMarks = 3
    /// Text to prepend to non-empty input.
    case prepend = 4
    /// A regular expression, and the replacement of each match.
    case replace = 5
    /// Strips whitespace left (bit 0) and right (bit 1).
    case strip = 6
    /// SentencePiece's treatment of control characters.
    case controls = 7
    /// The table of replacements of a SentencePiece model.
    case charsmap = 8
  }

  enum Step: Sendable {
    case form(compatible: Bool, composed: Bool)
    case lowercase
    case stripMarks
    case prepend([UInt8])
    case replace(RegexProgram, by: [UInt8])
    case strip(left: Bool, right: Bool)
    case controls
    case charsmap(CharsMap)
  }

  private(set) var steps: [Step] = []

  /// Reads steps up to their end.
  ///
  /// - Throws: `badInput` if a step is unknown or cut short.
  init(_ reader: inout ByteReader) throws(VDSQError) {
    while true {
      let code = try reader.integer(UInt32.self, "normalizer step")
      switch Code(rawValue: code) {
      case .end: return
      case .form:
        let compatible = try reader.integer(UInt32.self, "form") != 0
        let composed = try reader.integer(UInt32.self, "form") != 0
        steps.append(.form(compatible: compatible, composed: composed))
      case .lowercase: steps.append(.lowercase)
      case .stripMarks: steps.append(.stripMarks)
      case .prepend: steps.append(.prepend(try reader.bytes("text to prepend")))
      case .replace:
        let program = try RegexProgram(&reader)
        steps.append(.replace(program, by: try reader.bytes("replacement")))
      case .strip:
        let sides = try reader.integer(UInt32.self, "sides")
        steps.append(.strip(left: sides & 1 != 0, right: sides & 2 != 0))
      case .controls: steps.append(.controls)
      case .charsmap: steps.append(.charsmap(try CharsMap(&reader)))
      case nil: throw .badInput("\(reader.context): normalizer step \(code) is not known")
      }
    }
  }

  /// Normalizes `text` in place; `scratch` is working memory.
  ///
  /// - Returns: whether the start of the text was removed. A tokenizer that marks the first word
  ///   needs this.
  func apply(
    _ text: inout [UInt8], scratch: inout [UInt8], stack: inout RegexProgram.Stack
  ) -> Bool {
    var losesStart = false
    for step in steps {
      if case .strip(left: true, _) = step, Self.beginsWithSpace(text) { losesStart = true }
      scratch.removeAll(keepingCapacity: true)
      text.withUnsafeBytes { Self.apply(step, $0, into: &scratch, &stack) }
      swap(&text, &scratch)
    }
    return losesStart
  }

  private static func beginsWithSpace(_ text: [UInt8]) -> Bool {
    text.withUnsafeBytes {
      var decoder = UTF8Decoder($0)
      return decoder.next().map(CharacterData.isWhitespace) ?? false
    }
  }

  private static func apply(
    _ step: Step, _ text: UnsafeRawBufferPointer, into out: inout [UInt8],
    _ stack: inout RegexProgram.Stack
  ) {
    switch step {
    case .form(let compatible, let composed):
      var form = UnicodeForm(compatible: compatible, composed: composed)
      form.apply(text, into: &out)
    case .lowercase:
      forEachScalar(text) { scalar in
        CharacterData.lowercase(scalar) { out.append(scalar: $0) }
      }
    case .stripMarks:
      forEachScalar(text) {
        if !CharacterData.isStrippedMark($0) { out.append(scalar: $0) }
      }
    case .prepend(let prefix):
      if !text.isEmpty { out.append(contentsOf: prefix) }
      out.append(contentsOf: text)
    case .replace(let program, let replacement):
      var position = 0
      while position < text.count {
        if let end = program.match(text, at: position, &stack), end > position {
          out.append(contentsOf: replacement)
          position = end
        } else {
          let length = scalarLength(text[position])
          out.append(contentsOf: text[position..<min(position + length, text.count)])
          position += length
        }
      }
    case .strip(let left, let right):
      var start = 0
      var end = 0
      var position = 0
      var seen = false
      forEachScalar(text) { scalar in
        position += scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4
        if !CharacterData.isWhitespace(scalar) {
          end = position
          seen = true
        } else if !seen {
          start = position
        }
      }
      let from = left ? start : 0, to = right ? max(end, from) : text.count
      out.append(contentsOf: text[min(from, to)..<to])
    case .controls:
      forEachScalar(text) { scalar in
        switch scalar {
        case 1...8, 0xB, 0xE...0x1F, 0x7F, 0x8F, 0x9F: return
        case 9, 0xA, 0xC, 0xD, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
          out.append(0x20)
        default: out.append(scalar: scalar)
        }
      }
    case .charsmap(let map): map.apply(text, into: &out)
    }
  }

  static func forEachScalar(_ text: UnsafeRawBufferPointer, _ body: (UInt32) -> Void) {
    var decoder = UTF8Decoder(text)
    while let scalar = decoder.next() { body(scalar) }
  }

  /// The length in bytes of the scalar that starts with a byte of valid UTF-8.
  static func scalarLength(_ lead: UInt8) -> Int {
    lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
  }
}

extension ByteReader {
  /// A length in four bytes, followed by that many bytes.
  mutating func bytes(_ field: StaticString) throws(VDSQError) -> [UInt8] {
    let count = Int(try integer(UInt32.self, field))
    return Array(try take(count, field))
  }
}
