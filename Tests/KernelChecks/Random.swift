/// A seeded generator, so that failures are reproducible.
public struct Random: RandomNumberGenerator {
  private var state: UInt64

  public init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  public mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 0x2545_F491_4F6C_DD1D
  }

  public mutating func float(_ low: Float = -1, _ high: Float = 1) -> Float {
    low + (high - low) * Float(next() >> 40) / 16_777_216
  }

  public mutating func integer(_ low: Int, _ high: Int) -> Int {
    low + Int(next() >> 33) % (high - low + 1)
  }

  public mutating func floats(_ count: Int, _ low: Float = -1, _ high: Float = 1) -> [Float] {
    var values = [Float](repeating: 0, count: count)
    for i in 0..<count { values[i] = float(low, high) }
    return values
  }
}
