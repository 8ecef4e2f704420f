package import VDSQFormat

/// Writes a container section by section. The header and the table have reserved places and are
/// written last.
package final class ContainerWriter {
  private let file: AtomicFile
  private let kind: FileKind
  private let sectionCount: Int
  private let compresses: Bool
  private let crc = CRC32()
  private var sections: [Section] = []
  private var current: (kind: SectionKind, name: String, start: Int)?
  private var checksum: UInt32 = 0
  private var tensors: [TensorRecord] = []

  /// - Parameters:
  ///   - sectionCount: the number of sections that will be written, including the tensor directory.
  ///   - compresses: whether sections are stored in LZ4 blocks if that saves enough.
  /// - Throws: `usage` if the file cannot be written.
  package init(
    path: String, kind: FileKind, sectionCount: Int, replace: Bool, usesThread: Bool = false,
    compresses: Bool = false
  ) throws(VDSQError) {
    self.kind = kind
    self.compresses = compresses
    self.sectionCount = sectionCount
    file = try AtomicFile(path: path, replace: replace, usesThread: usesThread)
    let reserved =
      ContainerLayout.headerLength + sectionCount * ContainerLayout.sectionEntryLength
    try file.write([UInt8](repeating: 0, count: reserved))
  }

  /// Starts a section at the next multiple of the container's alignment.
  ///
  /// - Throws: `internalFault` if the disk is full or fails.
  package func begin(_ kind: SectionKind, _ name: String) throws(VDSQError) {
    try file.align(to: ContainerLayout.alignment)
    current = (kind, name, file.position)
    checksum = 0
  }

  /// Appends bytes to the current section and to its CRC-32.
  ///
  /// - Throws: `internalFault` if the disk is full or fails.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) {
    checksum = crc.checksum(of: bytes, continuing: checksum)
    try file.write(bytes)
  }

  /// Appends bytes to the current section and to its CRC-32.
  ///
  /// - Throws: `internalFault` if the disk is full or fails.
  package func write(_ bytes: [UInt8]) throws(VDSQError) {
    try bytes.withBytes { (raw) throws(VDSQError) in try write(raw) }
  }

  /// Ends the current section, compresses it if that is requested and saves enough, and adds it to
  /// the table. A section must have begun.
  ///
  /// - Throws: `internalFault` if the disk is full or fails.
  package func end() throws(VDSQError) {
    let (kind, name, start) = current!
    current = nil
    let length = file.position - start
    let compressed =
      compresses
      ? try SectionCompression(file: file, start: start, rawLength: length).run(crc) : nil
    sections.append(
      Section(
        kind: kind, offset: start, length: compressed?.length ?? length,
        rawLength: compressed.map { _ in length }, checksum: compressed?.checksum ?? checksum,
        name: name))
  }

  /// A section of known length that is filled while others are written behind it.
  package final class ReservedSection {
    fileprivate let index: Int
    fileprivate let start: Int
    fileprivate let length: Int
    fileprivate var checksum: UInt32 = 0
    fileprivate var written = 0

    fileprivate init(index: Int, start: Int, length: Int) {
      self.index = index
      self.start = start
      self.length = length
    }
  }

  /// Reserves space for a section. Its index is `sectionIndex` before the call.
  package func reserve(
    _ kind: SectionKind, _ name: String, length: Int
  ) throws(VDSQError) -> ReservedSection {
    try file.align(to: ContainerLayout.alignment)
    let section = ReservedSection(index: sections.count, start: file.position, length: length)
    sections.append(
      Section(kind: kind, offset: file.position, length: length, checksum: 0, name: name))
    try file.skip(length)
    return section
  }

  /// Writes the next bytes of a reserved section.
  package func write(_ bytes: [UInt8], to section: ReservedSection) throws(VDSQError) {
    section.checksum = bytes.withUnsafeBytes {
      crc.checksum(of: $0, continuing: section.checksum)
    }
    try file.rewrite(bytes, at: section.start + section.written)
    section.written += bytes.count
    guard section.written == section.length else { return }
    let old = sections[section.index]
    sections[section.index] = Section(
      kind: old.kind, offset: old.offset, length: old.length, checksum: section.checksum,
      name: old.name)
  }

  /// Writes a whole section at once.
  package func add(_ kind: SectionKind, _ name: String, _ bytes: [UInt8]) throws(VDSQError) {
    try begin(kind, name)
    try write(bytes)
    try end()
  }

  /// Writes one part of a tensor into the current section, aligned.
  ///
  /// - Returns: its offset from the section's start.
  package func part(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) -> Int {
    let offset = try alignedOffset()
    try write(bytes)
    return offset
  }

  /// Pads the section to the alignment.
  ///
  /// - Returns: the offset of the next byte from the start of the section.
  package func alignedOffset() throws(VDSQError) -> Int {
    let rest = (64 - (file.position - current!.start) % 64) % 64
    try write([UInt8](repeating: 0, count: rest))
    return file.position - current!.start
  }

  /// The index of the section that is being written.
  package var sectionIndex: Int { sections.count }

  /// Adds a record to the tensor directory, which `finish` writes.
  package func add(_ tensor: TensorRecord) { tensors.append(tensor) }

  /// The tensor records added so far.
  package var tensorRecords: [TensorRecord] { tensors }

  /// The sections written so far.
  package var sectionTable: [Section] { sections }

  /// A place to which a writer can return.
  package struct Place {
    fileprivate let sections: [Section]
    fileprivate let tensors: [TensorRecord]
    fileprivate let length: Int
  }

  /// The end of what was written so far. No section must have begun.
  package var place: Place {
    Place(sections: sections, tensors: tensors, length: file.position)
  }

  /// Removes what was written behind a place.
  package func cut(to place: Place) throws(VDSQError) {
    (sections, tensors) = (place.sections, place.tensors)
    try file.cut(to: place.length)
  }

  /// Calls `body` with a path at which what was written so far can be read as a file of its own,
  /// while the call lasts.
  ///
  /// - Parameter metadata: the metadata section of that file; the final one is still to be written.
  package func withDraft<Result>(
    _ metadata: [UInt8], _ body: (_ path: String) throws(VDSQError) -> Result
  ) throws(VDSQError) -> Result {
    let (kept, length) = (sections, file.position)
    try add(.metadata, "metadata", metadata)
    try add(.tensors, "tensors", directory())
    try writeHeader()
    let result = try file.withReadablePath(body)
    sections = kept
    try file.cut(to: length)
    return result
  }

  /// Writes the tensor directory, the section table and the header, and gives the file its name.
  ///
  /// - Returns: the file's length in bytes.
  package func finish() throws(VDSQError) -> Int {
    try add(.tensors, "tensors", directory())
    guard sections.count == sectionCount else {
      throw VDSQError(.internalFault, "\(sections.count) sections written, \(sectionCount) planned")
    }
    try writeHeader()
    try file.commit()
    return file.position
  }

  private func writeHeader() throws(VDSQError) {
    try file.align(to: ContainerLayout.alignment)
    var table = ByteWriter()
    for section in sections { section.encode(to: &table) }
    let tableChecksum = table.bytes.withUnsafeBytes { crc.checksum(of: $0) }
    let header = FileHeader(
      kind: kind, fileLength: file.position, tableOffset: ContainerLayout.headerLength,
      sectionCount: sections.count, tableChecksum: tableChecksum)
    try file.rewrite(header.encoded(crc: crc) + table.bytes, at: 0)
  }

  private func directory() -> [UInt8] {
    var out = ByteWriter()
    out.append(UInt32(tensors.count))
    out.append(UInt32(0))
    var nameOffset = 0
    for tensor in tensors {
      tensor.encode(nameOffset: nameOffset, to: &out)
      nameOffset += tensor.name.utf8.count
    }
    for tensor in tensors { out.append(bytes: Array(tensor.name.utf8)) }
    return out.bytes
  }
}
