/// Splits a word into the tokens with the highest total log probability (Kudo 2018), by the Viterbi
/// algorithm.
///
/// Buffers are reused from word to word.
struct UnigramSplitter {
  /// The best path to a position in the word.
  private struct Node {
    var score: Double
    var start: Int32
    var token: Int32
  }

  private var nodes: [Node] = []
  private var path: [(start: Int, end: Int, token: Int32)] = []

  /// Calls `body` with each piece: its bytes, and its token or -1.
  mutating func split(
    _ word: UnsafeRawBufferPointer, _ vocabulary: SubwordVocabulary,
    _ body: (_ piece: UnsafeRawBufferPointer, _ token: Int32) -> Void
  ) {
    nodes.removeAll(keepingCapacity: true)
    for _ in 0...word.count { nodes.append(Node(score: 0, start: -1, token: -1)) }
    var start = 0
    while start < word.count {
      let base = nodes[start].score
      let length = TextNormalizer.scalarLength(word[start])
      var hash = TokenTable.hashSeed
      var hasScalar = false
      var end = start
      let farthest = min(word.count, start + vocabulary.table.longest)
      while end < farthest {
        hash = (hash ^ UInt32(word[end])) &* 16_777_619
        end += 1
        if end < word.count, word[end] & 0xC0 == 0x80 { continue }
        let piece = UnsafeRawBufferPointer(rebasing: word[start..<end])
        guard let token = vocabulary.table.find(piece, hash: hash) else { continue }
        offer(end, base + vocabulary.score(token), start, token)
        if end - start == length { hasScalar = true }
      }
      if !hasScalar {
        offer(min(start + length, word.count), base + vocabulary.unknownScore, start, -1)
      }
      start += length
    }
    var position = word.count
    path.removeAll(keepingCapacity: true)
    while position > 0 {
      let node = nodes[position]
      path.append((Int(node.start), position, node.token))
      position = Int(node.start)
    }
    for part in path.reversed() {
      body(UnsafeRawBufferPointer(rebasing: word[part.start..<part.end]), part.token)
    }
  }

  private mutating func offer(_ end: Int, _ score: Double, _ start: Int, _ token: Int32) {
    if nodes[end].start < 0 || score > nodes[end].score {
      nodes[end] = Node(score: score, start: Int32(start), token: token)
    }
  }
}
