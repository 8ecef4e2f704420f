import VDSQFormat

/// The normalization forms of Unicode (standard annex 15).
struct UnicodeForm {
  let compatible: Bool
  let composed: Bool
  /// The scalars of the current text.
  private var scalars: [UInt32] = []

  init(compatible: Bool, composed: Bool) {
    self.compatible = compatible
    self.composed = composed
  }

  /// Appends the normalization form of UTF-8 text to `out`.
  mutating func apply(_ text: UnsafeRawBufferPointer, into out: inout [UInt8]) {
    if text.allSatisfy({ $0 < 0x80 }) { return out.append(contentsOf: text) }
    scalars.removeAll(keepingCapacity: true)
    var decoder = UTF8Decoder(text)
    while let scalar = decoder.next() {
      if compatible {
        CharacterData.decomposeCompatibly(scalar) { scalars.append($0) }
      } else {
        CharacterData.decompose(scalar) { scalars.append($0) }
      }
    }
    reorder()
    if composed { compose() }
    for scalar in scalars { out.append(scalar: scalar) }
  }

  /// Sorts runs of combining marks by their class; the sort is stable. Many marks on one letter are
  /// sorted by counting, to avoid quadratic time.
  private mutating func reorder() {
    var i = 0
    while i < scalars.count {
      guard CharacterData.order(scalars[i]) != 0 else {
        i += 1
        continue
      }
      var end = i + 1
      while end < scalars.count, CharacterData.order(scalars[end]) != 0 { end += 1 }
      if end - i > 64 { sortByCounting(i..<end) } else { sortByInsertion(i..<end) }
      i = end
    }
  }

  private mutating func sortByInsertion(_ range: Range<Int>) {
    for i in range.dropFirst() {
      var j = i
      while j > range.lowerBound,
        CharacterData.order(scalars[j - 1]) > CharacterData.order(scalars[j])
      {
        scalars.swapAt(j - 1, j)
        j -= 1
      }
    }
  }

  private mutating func sortByCounting(_ range: Range<Int>) {
    let copy = Array(scalars[range])
    var next = range.lowerBound
    for order in UInt8.min...UInt8.max {
      for scalar in copy where CharacterData.order(scalar) == order {
        scalars[next] = scalar
        next += 1
      }
    }
  }

  private mutating func compose() {
    var starter = -1
    var write = 0
    var last: UInt8 = 0
    for read in scalars.indices {
      let scalar = scalars[read]
      let order = CharacterData.order(scalar)
      let blocked = write - starter > 1 && (last == 0 || last >= order)
      if starter >= 0, !blocked, let both = CharacterData.compose(scalars[starter], scalar) {
        scalars[starter] = both
        continue
      }
      if order == 0 { starter = write }
      last = order
      scalars[write] = scalar
      write += 1
    }
    scalars.removeLast(scalars.count - write)
  }
}
