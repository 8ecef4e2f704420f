import Glibc
package import VDSQSemantics

extension SplitMix64 {
  /// A number from the standard normal distribution (Box and Muller 1958).
  package mutating func nextNormal() -> Float {
    let u = (Double(next() >> 11) + 0.5) * 0x1p-53
    let v = Double(next() >> 11) * 0x1p-53
    return Float((-2 * log(u)).squareRoot() * cos(2 * .pi * v))
  }
}
