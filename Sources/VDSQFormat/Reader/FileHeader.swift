/// The fixed 64 bytes at the start of a container.
package struct FileHeader: Sendable {
  /// Whether the file holds a model, an adapter or vocabulary bases.
  package let kind: FileKind
  /// The length of the whole file in bytes. A file of another length is rejected.
  package let fileLength: Int
  /// Offset of the section table from the file's start, a multiple of 64 bytes.
  package let tableOffset: Int
  /// The number of entries of the section table, at most `ContainerLayout.maximumSections`.
  package let sectionCount: Int
  /// CRC-32 of the section table. It also serves as the model's identity.
  package let tableChecksum: UInt32

  /// A header to be written. The values are not checked.
  package init(
    kind: FileKind, fileLength: Int, tableOffset: Int, sectionCount: Int, tableChecksum: UInt32
  ) {
    self.kind = kind
    self.fileLength = fileLength
    self.tableOffset = tableOffset
    self.sectionCount = sectionCount
    self.tableChecksum = tableChecksum
  }

  /// - Throws: `badInput` if the bytes are not the header of a container, are damaged or cut short,
  ///   or have an unknown version.
  init(reading bytes: UnsafeRawBufferPointer, path: String, crc: CRC32) throws(VDSQError) {
    typealias L = ContainerLayout
    if let other = FileSignature(
      UnsafeRawBufferPointer(rebasing: bytes.prefix(FileSignature.length)))
    {
      throw .badInput(
        "\(path): \(other.description)"
          + (other.isConvertible ? "; vdsq convert makes a .vdsq file of a model" : ""))
    }
    guard bytes.count >= L.headerLength else {
      throw .badInput("\(path): \(bytes.count) bytes are too short for a .vdsq file")
    }
    var reader = ByteReader(
      UnsafeRawBufferPointer(rebasing: bytes[..<L.headerLength]), context: "\(path): header")
    let magic = try reader.take(8, "magic")
    guard magic.elementsEqual(L.magic) else {
      throw .badInput("\(path): not a .vdsq file (its first bytes are others)")
    }
    let stored = bytes.loadUnaligned(fromByteOffset: 60, as: UInt32.self).littleEndian
    guard crc.checksum(of: UnsafeRawBufferPointer(rebasing: bytes[..<60])) == stored else {
      throw .badInput("\(path): the header is damaged (its checksum does not match)")
    }
    let version = try reader.integer(UInt32.self, "version")
    guard version == L.version else {
      throw .badInput(
        "\(path): format version \(version); this program reads version \(L.version)")
    }
    let kind = try reader.integer(UInt32.self, "kind")
    guard let kind = FileKind(rawValue: kind) else {
      throw .badInput("\(path): file kind \(kind) is not known to this program")
    }
    self.kind = kind
    fileLength = try reader.size("file length")
    tableOffset = try reader.size("section table offset")
    sectionCount = Int(try reader.integer(UInt32.self, "section count"))
    tableChecksum = try reader.integer(UInt32.self, "section table checksum")
    guard fileLength == bytes.count else {
      throw .badInput(
        "\(path): \(bytes.count) bytes, but its header says \(fileLength): it was cut or extended")
    }
    guard sectionCount <= L.maximumSections,
      tableOffset >= L.headerLength, tableOffset % L.alignment == 0,
      tableOffset <= fileLength - sectionCount * L.sectionEntryLength
    else {
      throw .badInput("\(path): the section table lies outside of the file")
    }
  }

  /// The 64 bytes, checksum included.
  package func encoded(crc: CRC32) -> [UInt8] {
    var out = ByteWriter()
    out.append(bytes: ContainerLayout.magic)
    out.append(ContainerLayout.version)
    out.append(kind.rawValue)
    out.append(UInt64(fileLength))
    out.append(UInt64(tableOffset))
    out.append(UInt32(sectionCount))
    out.append(tableChecksum)
    out.pad(to: 60)
    out.append(out.bytes.withUnsafeBytes { crc.checksum(of: $0) })
    return out.bytes
  }
}
