/// The numbers of the keys and values that are kept for later tokens.
public enum KeyPrecision: Sendable {
  /// Four bytes, exact.
  case float32
  /// Two bytes, rounded to the nearest number.
  case float16
  /// Eight bits, with a scale for each head of each token.
  case int8

  /// The name on the command line.
  public var name: StaticString {
    switch self {
    case .float32: "fp32"
    case .float16: "fp16"
    case .int8: "int8"
    }
  }

  /// The bytes of a token's keys, or of its values, in a layer.
  func rowBytes(heads: Int, headSize: Int) -> Int {
    switch self {
    case .float32: heads * headSize * 4
    case .float16: heads * headSize * 2
    // Scales follow the numbers.
    case .int8: (heads * headSize + 3) / 4 * 4 + heads * 4
    }
  }
}
