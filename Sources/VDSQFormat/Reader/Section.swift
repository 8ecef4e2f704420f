/// One entry of the section table.
package struct Section: Sendable {
  /// What the section holds.
  package let kind: SectionKind
  /// Whether the section's bytes are compressed.
  package let encoding: SectionEncoding
  /// Offset from the file's start in bytes, a multiple of 64.
  package let offset: Int
  /// The length in the file, in bytes.
  package let length: Int
  /// The decoded length in bytes; equal to `length` if the section is not compressed.
  package let rawLength: Int
  /// CRC-32 of the bytes as stored in the file, before decoding.
  package let checksum: UInt32
  /// At most 24 bytes of UTF-8, for example `layer.3`.
  package let name: String

  /// Whether the section holds the weights of one layer.
  package var isLayer: Bool { kind == .weights && name.utf8.starts(with: "layer.".utf8) }

  /// - Parameter rawLength: the decoded length in bytes; nil for a section that is not compressed.
  package init(
    kind: SectionKind, offset: Int, length: Int, rawLength: Int? = nil, checksum: UInt32,
    name: String
  ) {
    self.kind = kind
    encoding = rawLength == nil ? .raw : .lz4
    self.offset = offset
    self.length = length
    self.rawLength = rawLength ?? length
    self.checksum = checksum
    self.name = name
  }

  /// - Throws: `badInput` if the entry names an unknown kind or encoding, or bytes outside of the
  ///   file.
  init(_ reader: inout ByteReader, fileLength: Int) throws(VDSQError) {
    let kind = try reader.integer(UInt32.self, "section kind")
    let encoding = try reader.integer(UInt32.self, "section encoding")
    offset = try reader.size("section offset")
    length = try reader.size("section length")
    rawLength = try reader.size("section raw length")
    checksum = try reader.integer(UInt32.self, "section checksum")
    _ = try reader.integer(UInt32.self, "reserved")
    let raw = try reader.take(24, "section name")
    let name = String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
    self.name = name
    guard let known = SectionKind(rawValue: kind) else {
      throw .badInput("\(reader.context): section \(name) is of unknown kind \(kind)")
    }
    self.kind = known
    guard let knownEncoding = SectionEncoding(rawValue: encoding) else {
      throw .badInput("\(reader.context): section \(name) has unknown encoding \(encoding)")
    }
    self.encoding = knownEncoding
    guard offset % ContainerLayout.alignment == 0, offset >= ContainerLayout.headerLength,
      length <= fileLength, offset <= fileLength - length
    else {
      throw .badInput("\(reader.context): section \(name) lies outside of the file")
    }
    guard
      knownEncoding == .raw
        ? rawLength == length : rawLength / CompressedSection.largestRatio <= length
    else {
      throw .badInput(
        "\(reader.context): section \(name) of \(length) bytes claims to decode to \(rawLength)")
    }
  }

  /// Appends the section's 64 bytes of the section table. A longer name is cut to 24 bytes.
  package func encode(to out: inout ByteWriter) {
    let end = out.count + ContainerLayout.sectionEntryLength
    out.append(kind.rawValue)
    out.append(encoding.rawValue)
    out.append(UInt64(offset))
    out.append(UInt64(length))
    out.append(UInt64(rawLength))
    out.append(checksum)
    out.append(UInt32(0))
    out.append(bytes: Array(name.utf8.prefix(24)))
    out.pad(to: end)
  }
}
