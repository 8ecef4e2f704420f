// The layout of the container, as docs/format.md specifies it. All fields are little-endian.

/// Sizes and limits of the container format, in bytes unless stated otherwise.
package enum ContainerLayout {
  /// Like the magic of PNG: a byte outside ASCII, the name, and line ends that a text transfer
  /// would change.
  package static let magic: [UInt8] = [0x89, 0x56, 0x44, 0x53, 0x51, 0x0D, 0x0A, 0x1A]
  /// The only format version that this program reads and writes.
  package static let version: UInt32 = 1
  /// Bytes of the file header, its checksum included.
  package static let headerLength = 64
  /// Bytes of an entry of the section table.
  package static let sectionEntryLength = 64
  /// Bytes of a record of the tensor directory, without the tensor's name.
  package static let tensorRecordLength = 128
  /// Sections and tensors start at multiples of this, so that int8 rows load aligned from the map.
  package static let alignment = 64
  /// More sections than any model has layers. The limit bounds the memory that an unchecked count
  /// can claim.
  package static let maximumSections = 4096
  /// The maximum number of tensors. The limit bounds the memory that an unchecked count can claim.
  package static let maximumTensors = 65536
  /// The maximum number of dimensions of a tensor. A record has room for this many.
  package static let maximumRank = 4
  /// The supported numbers of columns in a group.
  package static let groupLengths = [32, 64]
}

/// The kind of a file.
package enum FileKind: UInt32, Sendable {
  /// A model: weights, tokenizer and configuration (.vdsq).
  case model = 1
  /// An adapter: what was trained for a task on top of a model (.vdsa).
  case adapter = 2
  /// Vocabulary bases in a file of their own, with or without a model that they belong to.
  case bases = 3

  /// The kind with its article, for error messages.
  package var name: StaticString {
    switch self {
    case .model: "a model"
    case .adapter: "an adapter"
    case .bases: "vocabulary bases"
    }
  }
}

/// The kind of a section.
package enum SectionKind: UInt32, Sendable {
  /// Typed key-value pairs: the architecture's configuration.
  case metadata = 1
  /// The tensor directory: one record per tensor, then the names.
  case tensors = 2
  /// Token strings, their hash index, and added tokens.
  case tokenizer = 3
  /// JSON text about the origin of the weights.
  case provenance = 4
  /// Tensor data. A layer is a section, so that it can be read separately.
  case weights = 5

  /// The kind in error messages and listings.
  package var name: StaticString {
    switch self {
    case .metadata: "metadata"
    case .tensors: "tensors"
    case .tokenizer: "tokenizer"
    case .provenance: "provenance"
    case .weights: "weights"
    }
  }
}

/// The encoding of a section's bytes in the file.
package enum SectionEncoding: UInt32, Sendable {
  /// The bytes themselves, used in place from the map.
  case raw = 0
  /// LZ4 blocks in chunks (`CompressedSection`).
  case lz4 = 1
}

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

  /// Whether each stored row has a scale.
  package var hasScales: Bool { self == .int8 || self == .bits2 }

  /// The type's abbreviation in listings and messages, for example `i8`.
  package var name: StaticString {
    switch self {
    case .float32: "f32"
    case .float16: "f16"
    case .int8: "i8"
    case .bits2: "b2"
    case .bits4: "b4"
    }
  }
}

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
  /// int8 in panels of sixteen rows, with a factor for each group of columns of a row.
  case groups16 = 4

  /// Whether the order uses panels of sixteen rows.
  package var isPanels: Bool { self == .panels16 || self == .groups16 }

  /// The order in listings and messages.
  package var name: StaticString {
    switch self {
    case .rowMajor: "rows"
    case .panels16: "panels16"
    case .blocks64: "blocks64"
    case .groups16: "groups16"
    }
  }
}
