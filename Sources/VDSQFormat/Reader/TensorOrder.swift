/// The order of a tensor's elements.
package enum TensorOrder: UInt16, Sendable {
  /// Rows one after another, `[rows, columns]`, without padding.
  case rowMajor = 1
  /// Panels of sixteen rows: int8 `[N/16][K/4][16][4]`, fp16 and fp32 `[N/16][K][16]`, padded with
  /// zeros.
  case panels16 = 2
  /// Blocks of 64 rows of two bits, four columns per byte: `[N/64][K/8 * 2][64]`, padded with
  /// zeros.
  case blocks64 = 3
  /// int8 in panels of sixteen rows, with a factor for each group of columns of a row; or int4,
  /// `[N/16][K/8][16][4]` bytes, with a zero point besides.
  case groups16 = 4
  /// int4, row after row without padding: `[K/8][4]` bytes, then factors and zero points of the
  /// row's groups.
  case rowGroups = 5

  /// Whether the order uses panels of sixteen rows.
  package var isPanels: Bool { self == .panels16 || self == .groups16 }

  /// The order in listings and messages.
  package var name: StaticString {
    switch self {
    case .rowMajor: "rows"
    case .panels16: "panels16"
    case .blocks64: "blocks64"
    case .groups16: "groups16"
    case .rowGroups: "rowgroups"
    }
  }
}
