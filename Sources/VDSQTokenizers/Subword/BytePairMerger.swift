/// Merges the pieces of a word, pair by pair in the order of the ranks of merges (Sennrich et al.
/// 2016).
///
/// Buffers are reused from word to word.
struct BytePairMerger {
  private struct Candidate {
    let rank: Int32
    let place: Int32
    let token: Int32

    func isBefore(_ other: Candidate) -> Bool {
      rank < other.rank || (rank == other.rank && place < other.place)
    }
  }

  private var ids: [Int32] = []
  private var previous: [Int32] = []
  private var next: [Int32] = []
  /// A heap whose root is the first candidate.
  private var heap: [Candidate] = []

  mutating func begin() {
    ids.removeAll(keepingCapacity: true)
    previous.removeAll(keepingCapacity: true)
    next.removeAll(keepingCapacity: true)
    heap.removeAll(keepingCapacity: true)
  }

  mutating func add(_ id: Int32) { ids.append(id) }

  /// Merges, then calls `body` with each remaining token.
  mutating func finish(_ vocabulary: SubwordVocabulary, _ body: (Int32) -> Void) {
    let count = ids.count
    for i in 0..<count {
      previous.append(Int32(i) - 1)
      next.append(i + 1 < count ? Int32(i) + 1 : -1)
    }
    for i in 0..<max(0, count - 1) { consider(i, vocabulary) }
    while let candidate = pop() {
      let left = Int(candidate.place)
      guard ids[left] >= 0, next[left] >= 0 else { continue }
      let right = Int(next[left])
      // The pair may have changed since it was considered.
      guard let merge = vocabulary.merge(ids[left], ids[right]), merge.token == candidate.token,
        merge.rank == candidate.rank
      else { continue }
      ids[left] = merge.token
      ids[right] = -1
      next[left] = next[right]
      if next[right] >= 0 { previous[Int(next[right])] = Int32(left) }
      if previous[left] >= 0 { consider(Int(previous[left]), vocabulary) }
      consider(left, vocabulary)
    }
    for id in ids where id >= 0 { body(id) }
  }

  /// Inserts the pair that begins at a place into the heap if it can be merged.
  private mutating func consider(_ left: Int, _ vocabulary: SubwordVocabulary) {
    guard next[left] >= 0, let merge = vocabulary.merge(ids[left], ids[Int(next[left])]) else {
      return
    }
    heap.append(Candidate(rank: merge.rank, place: Int32(left), token: merge.token))
    var i = heap.count - 1
    while i > 0, heap[i].isBefore(heap[(i - 1) / 2]) {
      heap.swapAt(i, (i - 1) / 2)
      i = (i - 1) / 2
    }
  }

  private mutating func pop() -> Candidate? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if heap.isEmpty { return first }
    heap[0] = last
    var i = 0
    while true {
      var least = i
      for child in [2 * i + 1, 2 * i + 2]
      where child < heap.count && heap[child].isBefore(heap[least]) { least = child }
      if least == i { return first }
      heap.swapAt(i, least)
      i = least
    }
  }
}
