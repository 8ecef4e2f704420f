public import VDSQFormat

/// What a generated text must be: one of some texts, or what a regular expression matches as a whole.
///
/// It is a finite automaton over bytes, so that tokens that end within a character are followed too.
public struct TextConstraint: Sendable {
  /// A state of the nondeterministic automaton.
  enum State: Sendable {
    /// A byte of a range leads to another state.
    case bytes(ClosedRange<UInt8>, next: Int32)
    /// Two states at once.
    case split(Int32, Int32)
    /// The text is complete.
    case match
  }

  /// The states. Those that a state leads to have lower indices, or are loops.
  private(set) var states: [State] = [.match]
  /// The state of the beginning.
  private(set) var start: Int32 = 0

  /// The largest number of states, and of parts of an expression with their repetitions.
  static let mostStates = 1 << 18
  private var compiled = 0

  /// One of some texts.
  ///
  /// - Throws: `usage` if there are no texts, or one is empty.
  public init(choices: [String]) throws(VDSQError) {
    guard !choices.isEmpty else { throw .usage("no texts to choose from") }
    var first: Int32?
    for choice in choices {
      guard !choice.utf8.isEmpty else { throw .usage("a text to choose from is empty") }
      var next: Int32 = 0
      for byte in choice.utf8.reversed() { next = try add(.bytes(byte...byte, next: next)) }
      if let known = first { first = try add(.split(known, next)) } else { first = next }
    }
    start = first ?? 0
  }

  /// What a regular expression matches as a whole.
  ///
  /// Groups, `|`, `*`, `+`, `?`, `{m,n}`, `.`, classes, and the escapes `\d \w \s` (of ASCII, as in
  /// JSON Schema) are understood. Assertions within the expression and references are not.
  ///
  /// - Throws: `usage`, naming what is not understood.
  public init(pattern: String) throws(VDSQError) {
    var parser = RegexParser(pattern)
    let expression = try parser.whole()
    start = try compile(expression, before: 0)
  }

  private mutating func add(_ state: State) throws(VDSQError) -> Int32 {
    guard states.count < Self.mostStates else {
      throw .usage("the regular expression has more than \(Self.mostStates) states")
    }
    states.append(state)
    return Int32(states.count - 1)
  }

  /// Adds the states of an expression.
  ///
  /// - Parameter next: the state behind it.
  /// - Returns: the state of its beginning.
  private mutating func compile(
    _ expression: RegexExpression, before next: Int32
  ) throws(VDSQError) -> Int32 {
    compiled += 1
    guard compiled <= 4 * Self.mostStates else {
      throw .usage("the regular expression repeats too many parts")
    }
    switch expression {
    case .empty: return next
    case .scalars(let ranges):
      var first: Int32?
      for range in ranges {
        for sequence in UTF8Ranges.sequences(of: range) {
          var own = next
          for bytes in sequence.reversed() { own = try add(.bytes(bytes, next: own)) }
          if let known = first { first = try add(.split(known, own)) } else { first = own }
        }
      }
      // A class without characters matches nothing: its range of bytes is not in UTF-8.
      if let first { return first }
      return try add(.bytes(0xFF...0xFF, next: next))
    case .sequence(let parts):
      var own = next
      for part in parts.reversed() { own = try compile(part, before: own) }
      return own
    case .either(let parts):
      var first: Int32?
      for part in parts {
        let own = try compile(part, before: next)
        if let known = first { first = try add(.split(known, own)) } else { first = own }
      }
      return first ?? next
    case .repeated(let part, let least, let most):
      var own = next
      if let most {
        for _ in least..<max(least, most) {
          // Each further time may be left out, with all behind it.
          own = try add(.split(try compile(part, before: own), next))
        }
      } else {
        let loop = try add(.split(0, next))
        states[Int(loop)] = .split(try compile(part, before: loop), next)
        own = loop
      }
      for _ in 0..<least { own = try compile(part, before: own) }
      return own
    }
  }
}
