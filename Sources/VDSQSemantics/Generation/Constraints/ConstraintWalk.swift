package import VDSQFormat
package import VDSQTokenizers

/// The way of a generated text through a constraint: which tokens can follow.
///
/// States of the deterministic automaton are made when they are reached. Each keeps the tokens that
/// can follow, a bit per token.
package final class ConstraintWalk {
  private struct Node {
    /// The states of the nondeterministic automaton that read a byte, sorted.
    let states: [Int32]
    let isComplete: Bool
    /// For each byte the next node; -1 for none, -2 if it is not known yet.
    var next: [Int32]
    /// A bit per token; empty if they are not known yet.
    var tokens: [UInt64] = []
  }

  private let constraint: TextConstraint
  private var nodes: [Node] = []
  private var known: [[Int32]: Int32] = [:]
  private var current: Int32 = 0
  /// The bytes of all tokens, one after another, and where each begins. Special tokens have none.
  private var bytes: [UInt8] = []
  private var offsets: [Int] = [0]
  /// Above this many nodes, or nodes with tokens, all are forgotten before the next token.
  private static let keptNodes = 2048, keptTokens = 256
  /// The largest number of nodes that the tokens behind one node may lead to.
  private static let mostNodes = 1 << 14
  /// The largest number of states over all nodes, and of states that one mask may look at.
  private static let mostStates = 1 << 21, mostWork = 1 << 24
  private var keptStates = 0
  private var work = 0
  /// The number of nodes whose tokens are known.
  private var tokenNodes = 0

  /// The bytes that a walk takes beside the vocabulary's texts.
  package static func bytes(vocabulary: Int) -> Int {
    keptNodes * 1280 + keptTokens * vocabulary / 8 + 12 * vocabulary
  }

  /// - Parameter ends: tokens that end a text; none of them is a part of it.
  package init(
    _ constraint: TextConstraint, _ tokenizer: Tokenizer, ends: [Int32] = []
  ) throws(VDSQError) {
    self.constraint = constraint
    let special = Set(tokenizer.addedTokens + ends)
    for id in 0..<Int32(tokenizer.count) {
      if !special.contains(id) { tokenizer.appendText(of: id, to: &bytes) }
      offsets.append(bytes.count)
    }
    _ = try node([constraint.start])
  }

  /// Begins a text.
  package func begin() { current = 0 }

  /// Whether the text matches.
  package var isComplete: Bool { nodes[Int(current)].isComplete }

  /// Whether the text can go on.
  package var canGoOn: Bool { !nodes[Int(current)].states.isEmpty }

  /// Makes the logits of tokens that cannot follow minus infinity.
  ///
  /// - Parameters:
  ///   - logits: `[count]`.
  ///   - ends: tokens that can follow a text that matches.
  /// - Throws: `usage` if the constraint has too many states.
  package func mask(
    _ logits: UnsafeMutablePointer<Float>, count: Int, ends: [Int32]
  ) throws(VDSQError) {
    work = 0
    let isFull = keptStates > Self.mostStates / 4
    if nodes.count > Self.keptNodes || tokenNodes > Self.keptTokens || isFull { try forget() }
    if nodes[Int(current)].tokens.isEmpty { try findTokens() }
    let allowed = nodes[Int(current)].tokens
    let isComplete = isComplete
    for id in 0..<count {
      let isAllowed = id / 64 < allowed.count && allowed[id / 64] >> UInt64(id % 64) & 1 == 1
      if !isAllowed, !(isComplete && ends.contains(Int32(id))) { logits[id] = -.infinity }
    }
  }

  /// Goes on behind a token that can follow.
  package func advance(_ id: Int32) throws(VDSQError) {
    for i in offsets[Int(id)]..<offsets[Int(id) + 1] where current >= 0 {
      current = try step(current, bytes[i])
    }
    if current < 0 { current = 0 }
  }

  /// Forgets all nodes but the first and the current one.
  private func forget() throws(VDSQError) {
    let own = nodes[Int(current)]
    nodes.removeAll(keepingCapacity: true)
    known.removeAll(keepingCapacity: true)
    (tokenNodes, keptStates) = (0, 0)
    _ = try node([constraint.start])
    // The state of a complete text is the first one.
    current = try node(own.isComplete ? own.states + [0] : own.states)
  }

  private func findTokens() throws(VDSQError) {
    var found = [UInt64](repeating: 0, count: (offsets.count + 62) / 64)
    for id in 0..<offsets.count - 1 {
      let (first, end) = (offsets[id], offsets[id + 1])
      guard first < end else { continue }
      var place = current
      for i in first..<end {
        place = try step(place, bytes[i])
        if place < 0 { break }
      }
      if place >= 0 { found[id / 64] |= 1 << UInt64(id % 64) }
    }
    nodes[Int(current)].tokens = found
    tokenNodes += 1
  }

  /// The node behind a byte; -1 for none.
  private func step(_ place: Int32, _ byte: UInt8) throws(VDSQError) -> Int32 {
    let next = nodes[Int(place)].next[Int(byte)]
    if next != -2 { return next }
    var states: [Int32] = []
    work += nodes[Int(place)].states.count
    for state in nodes[Int(place)].states {
      if case .bytes(let range, let next) = constraint.states[Int(state)], range.contains(byte) {
        states.append(next)
      }
    }
    let found = states.isEmpty ? -1 : try node(states)
    nodes[Int(place)].next[Int(byte)] = found
    return found
  }

  /// The node of some states and of those that they lead to without a byte.
  private func node(_ states: [Int32]) throws(VDSQError) -> Int32 {
    var seen: Set<Int32> = []
    var open = states
    var own: [Int32] = []
    var isComplete = false
    while let state = open.popLast() {
      guard seen.insert(state).inserted else { continue }
      switch constraint.states[Int(state)] {
      case .bytes: own.append(state)
      case .split(let a, let b):
        open.append(a)
        open.append(b)
      case .match: isComplete = true
      }
    }
    work += seen.count
    guard work <= Self.mostWork, keptStates + own.count <= Self.mostStates else {
      throw .usage("the constraint is in too many states at once; repeat fewer parts within others")
    }
    own.sort()
    let key = isComplete ? own + [-1] : own
    if let place = known[key] { return place }
    guard nodes.count < Self.mostNodes else {
      throw .usage("the constraint has more than \(Self.mostNodes) states")
    }
    nodes.append(
      Node(states: own, isComplete: isComplete, next: [Int32](repeating: -2, count: 256)))
    keptStates += own.count
    known[key] = Int32(nodes.count - 1)
    return Int32(nodes.count - 1)
  }
}
