/// A part of a regular expression.
indirect enum RegexExpression {
  case empty
  /// A character of some ranges of Unicode scalars.
  case scalars([ClosedRange<UInt32>])
  case sequence([RegexExpression])
  case either([RegexExpression])
  /// At least some times, and at most others; nil for any number.
  case repeated(RegexExpression, Int, Int?)
}
