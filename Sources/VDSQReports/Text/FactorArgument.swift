/// An argument of a name and a number: `NAME=FACTOR`. The name may contain `=`.
package struct FactorArgument: Sendable {
  /// What precedes the last `=`; not empty.
  package let name: String
  /// A finite number.
  package let factor: Float

  /// Nil if the argument has no name, or no finite number behind its last `=`.
  package init?(_ argument: String) {
    let bytes = Array(argument.utf8)
    guard let mark = bytes.lastIndex(of: UInt8(ascii: "=")), mark > 0,
      let factor = Float(String(decoding: bytes[(mark + 1)...], as: UTF8.self)), factor.isFinite
    else { return nil }
    name = String(decoding: bytes[..<mark], as: UTF8.self)
    self.factor = factor
  }
}
