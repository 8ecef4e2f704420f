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
