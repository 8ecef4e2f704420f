/// The fixed rotation of rows and queries before rows are quantized to two bits per dimension. It
/// spreads the variance of a few dimensions over all of them, so that two bits are equally
/// informative for each.
///
/// The rotation applies twice: a permutation and signs from a fixed sequence, then a Walsh-Hadamard
/// transform over sixteen parts of the vector. It stores no matrix and preserves cosines.
public struct CoarseRotation: Sendable {
  private let columns: Int
  /// The number of parts: the largest power of two up to 16 that divides the columns.
  private let parts: Int
  private let signs: [Float]
  private let order: [Int32]

  /// Generates the permutations and signs for vectors of `columns` elements. The same number always
  /// gives the same rotation.
  public init(columns: Int) {
    self.columns = columns
    var parts = 1
    while parts < 16, columns % (parts * 2) == 0 { parts *= 2 }
    self.parts = parts
    // Xorshift (Marsaglia 2003) with a fixed seed, so that every reader generates the same
    // sequence.
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
    let scale = 1 / Float(parts).squareRoot()
    var signs: [Float] = []
    var order: [Int32] = []
    for _ in 0..<2 {
      for _ in 0..<columns { signs.append(next() >> 63 == 0 ? scale : -scale) }
      var permutation: [Int32] = []
      for i in 0..<columns { permutation.append(Int32(i)) }
      var i = columns - 1
      while i > 0 {
        permutation.swapAt(i, Int(next() % UInt64(i + 1)))
        i -= 1
      }
      order += permutation
    }
    self.signs = signs
    self.order = order
  }

  /// Rotates `x` in place. `scratch` has as many elements as `x`.
  public func apply(_ x: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>) {
    signs.withUnsafeBufferPointer { signs in
      order.withUnsafeBufferPointer { order in
        for round in 0..<2 {
          let first = round * columns
          for i in 0..<columns { scratch[i] = x[Int(order[first + i])] * signs[first + i] }
          transform(scratch)
          for i in 0..<columns { x[i] = scratch[i] }
        }
      }
    }
  }

  private func transform(_ x: UnsafeMutablePointer<Float>) {
    let length = columns / parts
    var half = 1
    while half < parts {
      var part = 0
      while part < parts {
        let a = x + part * length, b = a + half * length
        for i in 0..<half * length {
          let sum = a[i] + b[i]
          b[i] = a[i] - b[i]
          a[i] = sum
        }
        part += 2 * half
      }
      half *= 2
    }
  }
}
