public import KernelChecks

/// The one seeded generator of all tests.
public typealias Random = KernelChecks.Random

extension Random {
  public mutating func floats(_ count: Int, in range: ClosedRange<Float>) -> [Float] {
    (0..<count).map { _ in Float.random(in: range, using: &self) }
  }
}
