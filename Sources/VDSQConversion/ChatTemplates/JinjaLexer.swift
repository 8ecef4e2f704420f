/// Splits a Jinja template into text, and the tokens of statements and expressions.
///
/// Line ends behind a block, and spaces before one on its line, are removed, as in the environment
/// that transformers makes (`trim_blocks`, `lstrip_blocks`).
struct JinjaLexer {
  enum Token: Equatable {
    case name(String)
    case string(String)
    case integer(Int)
    case number(Double)
    case symbol(String)
  }

  enum Part {
    case text(String)
    /// `{{ }}`.
    case output([Token])
    /// `{% %}`.
    case statement([Token])
  }

  private let source: [Character]
  private var position = 0
  private(set) var parts: [Part] = []

  init(_ template: String) throws(JinjaError) {
    // Jinja removes one line end at the end of a template, and makes all line ends alike.
    var source = Array(template.replacing("\r\n", with: "\n").replacing("\r", with: "\n"))
    if source.last == "\n" { source.removeLast() }
    self.source = source
    try split()
  }

  private func starts(_ text: String, at place: Int) -> Bool {
    let wanted = Array(text)
    return place + wanted.count <= source.count
      && source[place..<place + wanted.count].elementsEqual(wanted)
  }

  private mutating func split() throws(JinjaError) {
    var text: [Character] = []
    // What precedes the next text: whether all white space, or one line end, is left out.
    var (stripsAll, stripsLine) = (false, false)
    func stripped(_ text: [Character]) -> [Character] {
      if stripsAll { return Array(text.drop { $0.isWhitespace }) }
      return stripsLine && text.first == "\n" ? Array(text.dropFirst()) : text
    }
    while position < source.count {
      guard let kind = ["{{", "{%", "{#"].first(where: { starts($0, at: position) }) else {
        text.append(source[position])
        position += 1
        continue
      }
      position += 2
      var own = stripped(text)
      let mark = position < source.count ? source[position] : " "
      if mark == "-" {
        while own.last?.isWhitespace == true { own.removeLast() }
        position += 1
      } else if mark == "+" {
        position += 1
      } else if kind != "{{" {
        // Spaces from the line's beginning on.
        var kept = own
        while let last = kept.last, last == " " || last == "\t" { kept.removeLast() }
        let isAtStart =
          kept.isEmpty ? own.count == text.count || stripsLine || stripsAll : kept.last == "\n"
        if isAtStart { own = kept }
      }
      if !own.isEmpty { parts.append(.text(String(own))) }
      text = []
      let close = kind == "{{" ? "}}" : kind == "{%" ? "%}" : "#}"
      let tokens = kind == "{#" ? try skipComment() : try tokens(until: close)
      stripsAll = position >= 3 && source[position - 3] == "-"
      stripsLine = kind != "{{" && !(position >= 3 && source[position - 3] == "+")
      switch kind {
      case "{{": parts.append(.output(tokens))
      case "{%": parts.append(.statement(tokens))
      default: break
      }
    }
    let rest = stripped(text)
    if !rest.isEmpty { parts.append(.text(String(rest))) }
  }

  private mutating func skipComment() throws(JinjaError) -> [Token] {
    while position < source.count {
      if starts("#}", at: position) {
        position += 2
        return []
      }
      position += 1
    }
    throw .unsupported("a comment is not closed")
  }

  private static let symbols = [
    "==", "!=", "<=", ">=", "//", "**", "{", "}", "(", ")", "[", "]", ",", ".", ":", "|", "=", "<",
    ">", "+", "-", "*", "/", "%", "~",
  ]

  private mutating func tokens(until close: String) throws(JinjaError) -> [Token] {
    var tokens: [Token] = []
    var depth = 0
    while position < source.count {
      let c = source[position]
      if c.isWhitespace {
        position += 1
      } else if depth == 0, starts(close, at: position) {
        position += 2
        return tokens
      } else if depth == 0, c == "-" || c == "+", starts(close, at: position + 1) {
        position += 3
        return tokens
      } else if c == "\"" || c == "'" {
        tokens.append(.string(try string(c)))
      } else if c.isNumber {
        tokens.append(number())
      } else if c.isLetter || c == "_" {
        let start = position
        while position < source.count,
          source[position].isLetter || source[position].isNumber || source[position] == "_"
        {
          position += 1
        }
        tokens.append(.name(String(source[start..<position])))
      } else if let symbol = Self.symbols.first(where: { starts($0, at: position) }) {
        if ["{", "(", "["].contains(symbol) { depth += 1 }
        if ["}", ")", "]"].contains(symbol) { depth -= 1 }
        position += symbol.count
        tokens.append(.symbol(symbol))
      } else {
        throw .unsupported("the character \(c) is not expected")
      }
    }
    throw .unsupported("a block is not closed")
  }

  private mutating func number() -> Token {
    let start = position
    while position < source.count, source[position].isNumber { position += 1 }
    if position + 1 < source.count, source[position] == ".", source[position + 1].isNumber {
      position += 1
      while position < source.count, source[position].isNumber { position += 1 }
      return .number(Double(String(source[start..<position])) ?? 0)
    }
    return .integer(Int(String(source[start..<position])) ?? 0)
  }

  private mutating func string(_ quote: Character) throws(JinjaError) -> String {
    position += 1
    var text = ""
    while position < source.count, source[position] != quote {
      var c = source[position]
      position += 1
      if c == "\\", position < source.count {
        switch source[position] {
        case "n": c = "\n"
        case "t": c = "\t"
        case "r": c = "\r"
        case "\\", "'", "\"": c = source[position]
        case "u":
          let digits = source[(position + 1)..<min(position + 5, source.count)]
          guard digits.count == 4, let code = UInt32(String(digits), radix: 16),
            let scalar = Unicode.Scalar(code)
          else { throw .unsupported("an escape in a string is not known") }
          c = Character(scalar)
          position += 4
        default: throw .unsupported("an escape in a string is not known")
        }
        position += 1
      }
      text.append(c)
    }
    guard position < source.count else { throw .unsupported("a string is not closed") }
    position += 1
    return text
  }
}
