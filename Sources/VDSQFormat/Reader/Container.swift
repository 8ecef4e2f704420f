import CShims

/// A .vdsq or .vdsa file, mapped and checked.
///
/// Opening verifies the header, the section table, and the checksums of all sections that control
/// the program. `verify()` checks the weights too; reading all of them would slow down a cold
/// start.
package final class Container: @unchecked Sendable {
  /// Which compressed sections are decoded when a file is opened.
  package enum Decoding: Sendable {
    /// All compressed sections, each into memory of its own.
    case everything
    /// All sections except layers, which are streamed.
    case allButLayers
    /// Only the sections that describe the file.
    case noWeights

    fileprivate func includes(_ section: Section) -> Bool {
      switch self {
      case .everything: true
      case .allButLayers: !section.isLayer
      case .noWeights: section.kind != .weights
      }
    }
  }

  /// The map of the whole file.
  package let file: MappedFile
  /// The file's header, whose checksum matched.
  package let header: FileHeader
  /// The section table, in file order. Section indices refer to it.
  package let sections: [Section]
  /// The key-value pairs of the metadata section: the configuration.
  package let metadata: Metadata
  /// The tensor directory, in file order. Every part lies within its section.
  package let tensors: [TensorRecord]
  /// For each section, its decoded bytes; nil if it is used from the map.
  private let decoded: [DecodedSection?]
  /// For each section, the address where `place` put its bytes; nil if they are in the map or
  /// decoded.
  private var placed: [UnsafeRawPointer?]
  private let crc = CRC32()

  /// The path the file was opened with, for error messages.
  package var path: String { file.path }

  /// - Throws: `missingInput` if the file cannot be read, `badInput` if it is not a valid container
  ///   of the given kind.
  ///
  /// - Parameter decoding: the compressed sections to decode. The bytes of the others are
  ///   unavailable until `place` sets their address.
  package convenience init(
    path: String, kind: FileKind, decoding: Decoding = .everything
  ) throws(VDSQError) {
    // An adapter is small, and may be overwritten where it lies.
    try self.init(path: path, decoding: decoding, copies: kind == .adapter)
    guard header.kind == kind else {
      throw .badInput("\(path): this file has \(header.kind.name), not \(kind.name)")
    }
  }

  /// Opens a file of any kind.
  ///
  /// - Parameter copies: whether the file is copied into memory rather than mapped.
  /// - Throws: `missingInput` if the file cannot be read, `badInput` if it is not a valid
  ///   container.
  package init(
    path: String, decoding: Decoding = .everything, copies: Bool = false
  ) throws(VDSQError) {
    file = try MappedFile(path: path, copies: copies)
    header = try FileHeader(reading: file.bytes, path: path, crc: crc)
    let tableBytes = UnsafeRawBufferPointer(
      rebasing: file.bytes[header.tableOffset...]
        .prefix(header.sectionCount * ContainerLayout.sectionEntryLength))
    guard crc.checksum(of: tableBytes) == header.tableChecksum else {
      throw .badInput("\(path): the section table is damaged (its checksum does not match)")
    }
    var reader = ByteReader(tableBytes, context: path)
    var sections: [Section] = []
    for _ in 0..<header.sectionCount {
      sections.append(try Section(&reader, fileLength: header.fileLength))
    }
    self.sections = sections
    for section in sections where section.kind != .weights {
      try Self.verify(section, in: file, crc)
    }
    var decoded: [DecodedSection?] = []
    for section in sections {
      decoded.append(
        section.encoding == .raw || !decoding.includes(section)
          ? nil
          : try DecodedSection(
            section, Self.bytes(of: section, file), path: path, isMapped: !file.isCopy))
    }
    self.decoded = decoded
    placed = [UnsafeRawPointer?](repeating: nil, count: sections.count)
    metadata = try Metadata(
      reading: try Self.bytes(of: .metadata, in: sections, decoded, file), path: path)
    tensors = try Self.tensors(
      try Self.bytes(of: .tensors, in: sections, decoded, file), sections: sections, path: path)
  }

  /// Whether this map has what opening it with `decoding` would have decoded.
  package func has(_ decoding: Decoding) -> Bool {
    sections.indices.allSatisfy {
      sections[$0].encoding == .raw || decoded[$0] != nil || !decoding.includes(sections[$0])
    }
  }

  /// The bytes of the one section of a kind.
  ///
  /// - Throws: `badInput` if the file has none.
  package func bytes(of kind: SectionKind) throws(VDSQError) -> UnsafeRawBufferPointer {
    try Self.bytes(of: kind, in: sections, decoded, file)
  }

  private static func bytes(
    of kind: SectionKind, in sections: [Section], _ decoded: [DecodedSection?], _ file: MappedFile
  ) throws(VDSQError) -> UnsafeRawBufferPointer {
    guard let index = sections.firstIndex(where: { $0.kind == kind }) else {
      throw .badInput("\(file.path): the file has no \(kind.name) section")
    }
    return decoded[index]?.bytes ?? bytes(of: sections[index], file)
  }

  /// The decoded bytes of a section.
  package func bytes(ofSection index: Int) -> UnsafeRawBufferPointer {
    if let place = placed[index] {
      return UnsafeRawBufferPointer(start: place, count: sections[index].rawLength)
    }
    return decoded[index]?.bytes ?? Self.bytes(of: sections[index], file)
  }

  /// Sets the address of a section's bytes, where `load` put them. Nobody may read the container
  /// meanwhile.
  package func place(section index: Int, at pointer: UnsafeRawPointer) { placed[index] = pointer }

  /// Copies the decoded bytes of a section without keeping the file's pages in memory.
  ///
  /// - Parameters:
  ///   - destination: a buffer of `rawLength` bytes.
  ///   - scratch: memory for decoding, which can be reused for another section.
  /// - Throws: `badInput` if the file became shorter, or the section does not decode.
  package func load(
    section index: Int, into destination: UnsafeMutableRawPointer, scratch: inout [UInt8]
  ) throws(VDSQError) {
    let section = sections[index]
    guard section.encoding == .lz4 else {
      return try file.read(into: destination, count: section.length, at: section.offset)
    }
    let stored = Self.bytes(of: section, file)
    let out = UnsafeMutableRawBufferPointer(start: destination, count: section.rawLength)
    guard
      CompressedSection(stored, rawLength: section.rawLength).decode(
        into: out, scratch: &scratch, isMapped: !file.isCopy)
    else {
      throw .badInput("\(path): section \(section.name) is damaged (it does not decode)")
    }
  }

  /// Separates the pages of a section from its neighbours, so that touching one does not make pages
  /// of the other resident. A range with advice of its own is a map of its own, and this advice has
  /// no other relevant effect.
  package func isolate(section index: Int) {
    let bytes = Self.bytes(of: sections[index], file)
    vdsq_isolate_pages(bytes.baseAddress, Int64(bytes.count))
  }

  /// The number of resident bytes of a section; nil if the system does not report it.
  package func presentBytes(ofSection index: Int) -> Int? {
    let bytes = Self.bytes(of: sections[index], file)
    let present = vdsq_present_bytes(bytes.baseAddress, Int64(bytes.count))
    return present < 0 ? nil : Int(present)
  }

  /// Releases all pages, because opening the file touched more than is used afterwards.
  package func release() {
    guard !file.isCopy else { return }
    vdsq_release_pages(file.bytes.baseAddress, Int64(file.bytes.count))
  }

  /// Releases the pages of a section. They come back when they are touched. Does nothing if the
  /// section was decoded, because then there is no other copy.
  package func release(section index: Int) {
    guard sections[index].encoding == .raw, !file.isCopy else { return }
    let bytes = Self.bytes(of: sections[index], file)
    vdsq_release_pages(bytes.baseAddress, Int64(bytes.count))
  }

  /// The bytes of a section as stored in the file.
  private static func bytes(of section: Section, _ file: MappedFile) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: file.bytes[section.offset..<section.offset + section.length])
  }

  /// - Parameter releases: whether pages are released behind the reader.
  private static func verify(
    _ section: Section, in file: MappedFile, _ crc: CRC32, releases: Bool = false
  ) throws(VDSQError) {
    let bytes = bytes(of: section, file)
    var checksum: UInt32 = 0
    for start in stride(from: 0, to: bytes.count, by: 1 << 22) {
      let part = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + 1 << 22, bytes.count)])
      checksum = crc.checksum(of: part, continuing: checksum)
      if releases, !file.isCopy { vdsq_release_pages(part.baseAddress, Int64(part.count)) }
    }
    guard checksum == section.checksum else {
      throw .badInput(
        "\(file.path): section \(section.name) is damaged (its checksum does not match)")
    }
  }

  /// Checks the checksum of every section, weights included. Reads the whole file.
  ///
  /// - Throws: `badInput`, naming the first damaged section.
  package func verify() throws(VDSQError) {
    for section in sections { try Self.verify(section, in: file, crc, releases: true) }
  }

  /// The identity of a model, which its adapters name: the checksum of the section table, which
  /// holds the checksum of every section.
  package var identity: UInt32 { header.tableChecksum }

  private static func tensors(
    _ bytes: UnsafeRawBufferPointer, sections: [Section], path: String
  ) throws(VDSQError) -> [TensorRecord] {
    var reader = ByteReader(bytes, context: "\(path): tensors")
    let count = Int(try reader.integer(UInt32.self, "tensor count"))
    _ = try reader.integer(UInt32.self, "reserved")
    guard count <= ContainerLayout.maximumTensors else {
      throw .badInput("\(path): \(count) tensors are more than any model has")
    }
    let records = try reader.take(count * ContainerLayout.tensorRecordLength, "tensor records")
    let names = try reader.take(reader.remaining, "tensor names")
    var recordReader = ByteReader(records, context: path)
    var tensors: [TensorRecord] = []
    tensors.reserveCapacity(count)
    for _ in 0..<count {
      tensors.append(try TensorRecord(&recordReader, names: names, sections: sections))
    }
    return tensors
  }
}

/// The decoded bytes of a compressed section, in memory of its own.
private final class DecodedSection: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer

  /// - Throws: `badInput` if the section is damaged, `budgetTooSmall` if there is no memory for it.
  init(
    _ section: Section, _ stored: UnsafeRawBufferPointer, path: String, isMapped: Bool
  ) throws(VDSQError) {
    // Pages take no memory until they are written, so a false length does not either.
    guard let base = vdsq_map_memory(Int64(max(1, section.rawLength))) else {
      throw VDSQError(
        .budgetTooSmall,
        "\(path): no memory for section \(section.name), \(section.rawLength) bytes")
    }
    let out = UnsafeMutableRawBufferPointer(start: base, count: section.rawLength)
    bytes = UnsafeRawBufferPointer(out)
    var scratch: [UInt8] = []
    guard
      CompressedSection(stored, rawLength: section.rawLength).decode(
        into: out, scratch: &scratch, isMapped: isMapped)
    else {
      throw .badInput("\(path): section \(section.name) is damaged (it does not decode)")
    }
  }

  deinit { vdsq_unmap(bytes.baseAddress, Int64(max(1, bytes.count))) }
}
