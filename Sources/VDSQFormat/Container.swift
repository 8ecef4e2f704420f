import CShims

/// A .vdsq or .vdsa file, mapped and checked.
///
/// Opening verifies the header, the section table, and the checksums of all sections that steer the
/// program; weights are verified by `verify()`, as reading them all would cost a cold start.
public final class Container: @unchecked Sendable {
  /// Which compressed sections are decoded when a file is opened.
  public enum Decoding: Sendable {
    case everything
    /// All but layers, which are streamed.
    case allButLayers
    /// What describes the file only.
    case noWeights

    fileprivate func includes(_ section: Section) -> Bool {
      switch self {
      case .everything: true
      case .allButLayers: !section.isLayer
      case .noWeights: section.kind != .weights
      }
    }
  }

  public let file: MappedFile
  public let header: FileHeader
  public let sections: [Section]
  public let metadata: Metadata
  public let tensors: [TensorRecord]
  /// By section; nil where it is used from the map.
  private let decoded: [DecodedSection?]
  /// By section, where its bytes are instead; nil where they are in the map or decoded.
  private var placed: [UnsafeRawPointer?]
  private let crc = CRC32()

  public var path: String { file.path }

  /// - Throws: `missingInput` where the file cannot be read, `badInput` where it is not a sound
  ///   container of the wanted kind.
  ///
  /// - Parameter decoding: which compressed sections are decoded; the bytes of others are not there, until `place`
  ///   says where.
  public convenience init(
    path: String, kind: FileKind, decoding: Decoding = .everything
  ) throws(VDSQError) {
    try self.init(path: path, decoding: decoding)
    guard header.kind == kind else {
      throw .badInput("\(path): this file has \(header.kind.name), not \(kind.name)")
    }
  }

  /// A file of any kind.
  ///
  /// - Throws: `missingInput` where the file cannot be read, `badInput` where it is not a sound
  ///   container.
  public init(path: String, decoding: Decoding = .everything) throws(VDSQError) {
    file = try MappedFile(path: path)
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
          ? nil : try DecodedSection(section, Self.bytes(of: section, file), path: path))
    }
    self.decoded = decoded
    placed = [UnsafeRawPointer?](repeating: nil, count: sections.count)
    metadata = try Metadata(
      reading: try Self.bytes(of: .metadata, in: sections, decoded, file), path: path)
    tensors = try Self.tensors(
      try Self.bytes(of: .tensors, in: sections, decoded, file), sections: sections, path: path)
  }

  /// The bytes of the one section of a kind.
  ///
  /// - Throws: `badInput` where the file has none.
  public func bytes(of kind: SectionKind) throws(VDSQError) -> UnsafeRawBufferPointer {
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

  /// A section's bytes, decoded.
  public func bytes(ofSection index: Int) -> UnsafeRawBufferPointer {
    if let place = placed[index] {
      return UnsafeRawBufferPointer(start: place, count: sections[index].rawLength)
    }
    return decoded[index]?.bytes ?? Self.bytes(of: sections[index], file)
  }

  /// Says where a section's bytes are from now on: where `load` put them. Not while others read the container.
  public func place(section index: Int, at pointer: UnsafeRawPointer) { placed[index] = pointer }

  /// Copies a section's bytes, decoded, without keeping the file's pages in memory.
  ///
  /// - Parameters:
  ///   - destination: room for `rawLength` bytes.
  ///   - scratch: what decoding needs, to be used again for another section.
  /// - Throws: `badInput` where the file became shorter, or the section does not decode.
  public func load(
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
        into: out, scratch: &scratch, isMapped: true)
    else {
      throw .badInput("\(path): section \(section.name) is damaged (it does not decode)")
    }
  }

  /// Keeps touching a section from making pages of its neighbours resident, and the other way round: a map with
  /// advice of its own is a map of its own, and this advice does nothing else that matters.
  public func isolate(section index: Int) {
    let bytes = Self.bytes(of: sections[index], file)
    vdsq_isolate_pages(bytes.baseAddress, Int64(bytes.count))
  }

  /// Bytes of a section's pages that are in memory; nil where the system does not tell.
  public func presentBytes(ofSection index: Int) -> Int? {
    let bytes = Self.bytes(of: sections[index], file)
    let present = vdsq_present_bytes(bytes.baseAddress, Int64(bytes.count))
    return present < 0 ? nil : Int(present)
  }

  /// Takes all pages out of memory: opening touched more than what is used afterwards.
  public func release() { vdsq_release_pages(file.bytes.baseAddress, Int64(file.bytes.count)) }

  /// Takes a section's pages out of memory; they come back when they are touched. Nothing where it was decoded, since
  /// there it is nowhere else.
  public func release(section index: Int) {
    guard sections[index].encoding == .raw else { return }
    let bytes = Self.bytes(of: sections[index], file)
    vdsq_release_pages(bytes.baseAddress, Int64(bytes.count))
  }

  /// A section's bytes as they lie in the file.
  private static func bytes(of section: Section, _ file: MappedFile) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: file.bytes[section.offset..<section.offset + section.length])
  }

  /// - Parameter releases: whether pages are taken out of memory behind the reader.
  private static func verify(
    _ section: Section, in file: MappedFile, _ crc: CRC32, releases: Bool = false
  ) throws(VDSQError) {
    let bytes = bytes(of: section, file)
    var checksum: UInt32 = 0
    for start in stride(from: 0, to: bytes.count, by: 1 << 22) {
      let part = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + 1 << 22, bytes.count)])
      checksum = crc.checksum(of: part, continuing: checksum)
      if releases { vdsq_release_pages(part.baseAddress, Int64(part.count)) }
    }
    guard checksum == section.checksum else {
      throw .badInput(
        "\(file.path): section \(section.name) is damaged (its checksum does not match)")
    }
  }

  /// Checks every section's checksum, weights included: reads the whole file.
  ///
  /// - Throws: `badInput`, naming the first damaged section.
  public func verify() throws(VDSQError) {
    for section in sections { try Self.verify(section, in: file, crc, releases: true) }
  }

  /// A checksum that identifies the model to its adapters: over the section table, which holds the
  /// checksum of every section.
  public var identity: UInt32 { header.tableChecksum }

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

/// What a compressed section decodes to, in memory of its own.
private final class DecodedSection: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer

  /// - Throws: `badInput` where the section is damaged, `budgetTooSmall` where there is no memory for it.
  init(_ section: Section, _ stored: UnsafeRawBufferPointer, path: String) throws(VDSQError) {
    // Pages cost nothing until they are written, so a false length costs nothing either.
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
        into: out, scratch: &scratch, isMapped: true)
    else {
      throw .badInput("\(path): section \(section.name) is damaged (it does not decode)")
    }
  }

  deinit { vdsq_unmap(bytes.baseAddress, Int64(max(1, bytes.count))) }
}
