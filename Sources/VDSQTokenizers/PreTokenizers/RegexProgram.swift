import VDSQFormat

/// A regular expression over Unicode scalars: the subset of Oniguruma's syntax that pre-tokenizers
/// need. The converter compiles it, and a backtracking matcher runs it.
///
/// In the file: `u32` instructions n, sets m, then n instructions of four u32, then the sets' words
/// (docs/format.md, "Regular expressions").
package struct RegexProgram: Sendable {
  /// The code of an operation in the file.
  package enum Operation: UInt32, Sendable {
    /// Ends the expression or a look-ahead with a match.
    case match = 0
    /// One scalar of set a.
    case set = 1
    /// Between b and c scalars of set a, as many as possible; fewer if the rest of the expression
    /// needs it.
    case loop = 2
    /// Continues at a, or else at b.
    case split = 3
    /// Continues at a.
    case jump = 4
    /// The following operations up to their `match` must match here (b = 0) or must not match (b =
    /// 1). Continues at a.
    case look = 5
    /// Matches the start of the text, without consuming a scalar.
    case start = 6
    /// Matches the end of the text, without consuming a scalar.
    case end = 7
    /// A possessive loop, which gives nothing back.
    case possessive = 8
  }

  private struct Instruction: Sendable {
    let operation: Operation
    let a: Int
    let b: Int
    let c: Int
  }

  private var instructions: [Instruction] = []
  private var sets: [ScalarSet] = []

  /// - Throws: `badInput` if an operation is unknown, or a target or a set is out of range.
  init(_ reader: inout ByteReader) throws(VDSQError) {
    let count = Int(try reader.integer(UInt32.self, "instructions"))
    let setCount = Int(try reader.integer(UInt32.self, "sets"))
    guard count >= 1, count <= 1 << 16, setCount <= 1 << 12 else {
      throw .badInput("\(reader.context): a regular expression is too long")
    }
    for _ in 0..<count {
      let code = try reader.integer(UInt32.self, "operation")
      let a = Int(try reader.integer(UInt32.self, "operand"))
      let b = Int(try reader.integer(UInt32.self, "operand"))
      let c = Int(try reader.integer(UInt32.self, "operand"))
      guard let operation = Operation(rawValue: code) else {
        throw .badInput("\(reader.context): a regular expression has an unknown operation")
      }
      let isSound: Bool =
        switch operation {
        case .set: a < setCount
        case .loop, .possessive: a < setCount && b <= c
        case .split: a < count && b < count
        case .jump, .look: a < count
        case .match, .start, .end: true
        }
      guard isSound else {
        throw .badInput("\(reader.context): a regular expression's operand is out of range")
      }
      instructions.append(Instruction(operation: operation, a: a, b: b, c: c))
    }
    guard instructions[count - 1].operation == .match else {
      throw .badInput("\(reader.context): a regular expression does not end")
    }
    for _ in 0..<setCount { sets.append(try ScalarSet(&reader)) }
  }

  /// A backtracking point: a loop that may give a scalar back, or an alternative.
  struct Frame {
    let instruction: Int
    var position: Int
    /// The lowest position to which a loop gives back; -1 for an alternative.
    let lowest: Int
  }

  /// Memory of a run, reused by the next run.
  struct Stack {
    var frames: [Frame] = []
  }

  /// The limit of steps per position, higher than any reasonable expression needs. Beyond it there
  /// is no match, so that the matcher always terminates quickly.
  private static let mostSteps = 1 << 22

  /// The end of the match that begins at `start`, or nil.
  func match(_ text: UnsafeRawBufferPointer, at start: Int, _ stack: inout Stack) -> Int? {
    var steps = 0
    return run(text, 0, start, &stack, &steps, depth: 0)
  }

  private func run(
    _ text: UnsafeRawBufferPointer, _ entry: Int, _ start: Int, _ stack: inout Stack,
    _ steps: inout Int, depth: Int
  ) -> Int? {
    // Nested look-aheads; no tokenizer has more than one level.
    if depth > 8 { return nil }
    let base = stack.frames.count
    defer { stack.frames.removeLast(stack.frames.count - base) }
    var at = entry
    var position = start
    while true {
      steps += 1
      if steps > Self.mostSteps { return nil }
      let i = instructions[at]
      var failed = false
      switch i.operation {
      case .match: return position
      case .set:
        if let next = sets[i.a].next(text, position) {
          position = next
          at += 1
        } else {
          failed = true
        }
      case .loop, .possessive:
        var lowest = position
        var count = 0
        while count < i.c, let next = sets[i.a].next(text, position) {
          position = next
          count += 1
          if count == i.b { lowest = position }
        }
        steps += count / 8
        if count < i.b {
          failed = true
        } else {
          at += 1
          if i.operation == .loop, position > lowest {
            stack.frames.append(Frame(instruction: at, position: position, lowest: lowest))
          }
        }
      case .split:
        stack.frames.append(Frame(instruction: i.b, position: position, lowest: -1))
        at = i.a
      case .jump: at = i.a
      case .look:
        let found = run(text, at + 1, position, &stack, &steps, depth: depth + 1) != nil
        if found == (i.b == 0) { at = i.a } else { failed = true }
      case .start: if position == 0 { at += 1 } else { failed = true }
      case .end: if position == text.count { at += 1 } else { failed = true }
      }
      guard failed else { continue }
      guard stack.frames.count > base, var frame = stack.frames.popLast() else { return nil }
      if frame.lowest >= 0 {
        frame.position -= 1
        while text[frame.position] & 0xC0 == 0x80 { frame.position -= 1 }
        if frame.position > frame.lowest { stack.frames.append(frame) }
      }
      at = frame.instruction
      position = frame.position
    }
  }
}
