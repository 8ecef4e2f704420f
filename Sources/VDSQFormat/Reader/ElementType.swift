/// The element type of a tensor.
package enum ElementType: UInt16, Sendable {
  /// IEEE 754 single precision, four bytes.
  case float32 = 1
  /// IEEE 754 half precision, two bytes.
  case float16 = 2
  /// Symmetric int8 with a float32 scale for each row.
  case int8 = 3
  /// Two bits, with a float32 scale for each row: coarse rows.
  case bits2 = 4
  /// Four bits in two's complement, the first of two columns in the low bits: the residual of int8
  /// rows, in sixteenths of their scales.
  case bits4 = 5
  /// Four bits from 0 to 15 in groups of columns, with a zero point and a factor for each group and
  /// a float32 scale for each row.
  case int4 = 6

  /// Whether each stored row has a scale.
  package var hasScales: Bool { self == .int8 || self == .bits2 || self == .int4 }

  /// The type's abbreviation in listings and messages, for example `i8`.
  package var name: StaticString {
    switch self {
    case .float32: "f32"
    case .float16: "f16"
    case .int8: "i8"
    case .bits2: "b2"
    case .bits4: "b4"
    case .int4: "i4"
    }
  }
}
