// The container's layout, as docs/format.md specifies it. Everything is little-endian.

public enum ContainerLayout {
  /// Like PNG's: a byte that is no ASCII, the name, and line ends that a text transfer would change.
  public static let magic: [UInt8] = [0x89, 0x56, 0x44, 0x53, 0x51, 0x0D, 0x0A, 0x1A]
  public static let version: UInt32 = 1
  public static let headerLength = 64
  public static let sectionEntryLength = 64
  public static let tensorRecordLength = 128
  /// Sections and tensors start at multiples of it, so that int8 rows load aligned from the map.
  public static let alignment = 64
  /// More sections than any model has layers; bounds what an unchecked count could ask for.
  public static let maximumSections = 4096
  public static let maximumTensors = 65536
  public static let maximumRank = 4
  /// Columns of a group that has a factor of its own.
  public static let groupLengths = [32, 64]
}

/// What a file is.
public enum FileKind: UInt32, Sendable {
  case model = 1
  case adapter = 2
  /// Vocabulary bases beside the model that they belong to, or without one.
  case bases = 3

  public var name: StaticString {
    switch self {
    case .model: "a model"
    case .adapter: "an adapter"
    case .bases: "vocabulary bases"
    }
  }
}

/// What a section holds.
public enum SectionKind: UInt32, Sendable {
  /// Typed key-value pairs: the architecture's configuration.
  case metadata = 1
  /// The tensor directory: a record a tensor, then their names.
  case tensors = 2
  /// Token strings, their hash index, and added tokens.
  case tokenizer = 3
  /// JSON text: where the weights came from.
  case provenance = 4
  /// Tensor data; a layer is a section, so that it can be read by itself.
  case weights = 5

  public var name: StaticString {
    switch self {
    case .metadata: "metadata"
    case .tensors: "tensors"
    case .tokenizer: "tokenizer"
    case .provenance: "provenance"
    case .weights: "weights"
    }
  }
}

/// How a section's bytes lie in the file.
public enum SectionEncoding: UInt32, Sendable {
  case raw = 0
  /// LZ4 blocks in chunks (`CompressedSection`).
  case lz4 = 1
}

/// How a tensor's elements are stored.
public enum ElementType: UInt16, Sendable {
  case float32 = 1
  case float16 = 2
  /// Symmetric int8 with a float32 scale for each row.
  case int8 = 3
  /// Two bits, with a float32 scale for each row: coarse rows.
  case bits2 = 4
  /// Four bits, two's complement, the first of two columns in the low ones: what int8 rows leave over, in
  /// sixteenths of their scales.
  case bits4 = 5

  /// Whether each stored row has a scale.
  public var hasScales: Bool { self == .int8 || self == .bits2 }

  public var name: StaticString {
    switch self {
    case .float32: "f32"
    case .float16: "f16"
    case .int8: "i8"
    case .bits2: "b2"
    case .bits4: "b4"
    }
  }
}

/// How a tensor's elements are ordered.
public enum TensorOrder: UInt16, Sendable {
  case rowMajor = 1
  /// Panels of sixteen rows: int8 `[N/16][K/4][16][4]`, fp16 and fp32 `[N/16][K][16]`, zero-filled.
  case panels16 = 2
  /// Blocks of 64 rows of two bits, four columns a byte: `[N/64][K/8 * 2][64]`, zero-filled.
  case blocks64 = 3
  /// int8 in panels of sixteen rows, with a factor for each group of a row's columns.
  case groups16 = 4

  /// Whether rows lie in panels of sixteen.
  public var isPanels: Bool { self == .panels16 || self == .groups16 }

  public var name: StaticString {
    switch self {
    case .rowMajor: "rows"
    case .panels16: "panels16"
    case .blocks64: "blocks64"
    case .groups16: "groups16"
    }
  }
}
