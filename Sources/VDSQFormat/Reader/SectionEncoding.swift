/// The encoding of a section's bytes in the file.
package enum SectionEncoding: UInt32, Sendable {
  /// The bytes themselves, used in place from the map.
  case raw = 0
  /// LZ4 blocks in chunks (`CompressedSection`).
  case lz4 = 1
}
