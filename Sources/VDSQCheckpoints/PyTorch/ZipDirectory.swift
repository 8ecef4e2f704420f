import VDSQFormat

/// The directory of a zip archive whose entries are not compressed, as PyTorch and NumPy write it.
///
/// Entries are found in the central directory only. Names are compared, never opened as paths.
struct ZipDirectory {
  struct Entry {
    let offset: Int
    let length: Int
  }

  let file: InputFile
  /// Entries by name.
  let entries: [String: Entry]

  private static let mostEntries = 1 << 20

  /// - Throws: `badInput` if the archive is malformed, compressed or encrypted, or if entries lie
  ///   outside the file, overlap, or share a name.
  init(_ file: InputFile) throws(VDSQError) {
    self.file = file
    let path = file.path
    func malformed(_ what: String) -> VDSQError { .badInput("\(path): zip: \(what)") }
    let directory = try Self.directory(file, malformed)
    let bytes = try file.bytes(at: directory.offset, count: directory.length)
    var entries: [String: Entry] = [:]
    var spans: [(Int, Int)] = []
    try bytes.withBytes { (raw) throws(VDSQError) in
      var reader = ByteReader(raw, context: "\(path): zip directory")
      for _ in 0..<directory.count {
        guard try reader.integer(UInt32.self, "signature") == 0x0201_4B50 else {
          throw malformed("an entry of the directory does not begin as one")
        }
        _ = try reader.take(4, "versions")
        let flags = try reader.integer(UInt16.self, "flags")
        let method = try reader.integer(UInt16.self, "method")
        _ = try reader.take(8, "time and checksum")
        var packed = Int(try reader.integer(UInt32.self, "packed size"))
        var length = Int(try reader.integer(UInt32.self, "size"))
        let nameLength = Int(try reader.integer(UInt16.self, "name length"))
        let extraLength = Int(try reader.integer(UInt16.self, "extra length"))
        let commentLength = Int(try reader.integer(UInt16.self, "comment length"))
        _ = try reader.take(8, "attributes")
        var header = Int(try reader.integer(UInt32.self, "offset"))
        let name = try reader.text(nameLength, "name")
        let extra = try reader.take(extraLength, "extra")
        _ = try reader.take(commentLength, "comment")
        try Self.widen(extra, &length, &packed, &header, malformed)
        guard method == 0, flags & 1 == 0, packed == length else {
          throw malformed(
            "\(name) is compressed or encrypted; store it as it is (torch.save, numpy.savez)")
        }
        let start = try Self.data(file, header: header, malformed)
        guard length <= file.length, start <= file.length - length else {
          throw malformed("\(name) lies outside of the file")
        }
        guard entries.updateValue(Entry(offset: start, length: length), forKey: name) == nil else {
          throw malformed("\(name) is there twice")
        }
        if length > 0 { spans.append((start, start + length)) }
      }
    }
    spans.sort { $0 < $1 }
    for (a, b) in zip(spans, spans.dropFirst()) where b.0 < a.1 {
      throw malformed("two entries overlap")
    }
    self.entries = entries
  }

  /// Reads sizes and offsets of eight bytes, for values that do not fit four bytes.
  private static func widen(
    _ extra: UnsafeRawBufferPointer, _ length: inout Int, _ packed: inout Int, _ header: inout Int,
    _ malformed: (String) -> VDSQError
  ) throws(VDSQError) {
    var reader = ByteReader(extra, context: "zip")
    while reader.remaining >= 4 {
      let id = try reader.integer(UInt16.self, "field")
      let size = Int(try reader.integer(UInt16.self, "field size"))
      var field = ByteReader(try reader.take(size, "field"), context: "zip")
      guard id == 1 else { continue }
      let full = Int(UInt32.max)
      if length == full { length = try field.size("size") }
      if packed == full { packed = try field.size("packed size") }
      if header == full { header = try field.size("offset") }
    }
  }

  /// The offset of an entry's bytes, behind its local header.
  private static func data(
    _ file: InputFile, header: Int, _ malformed: (String) -> VDSQError
  ) throws(VDSQError) -> Int {
    let bytes = try file.bytes(at: header, count: 30)
    guard bytes[0...3].elementsEqual([0x50, 0x4B, 3, 4]) else {
      throw malformed("a local header does not begin as one")
    }
    return header + 30 + (Int(bytes[26]) | Int(bytes[27]) << 8)
      + (Int(bytes[28]) | Int(bytes[29]) << 8)
  }

  private static func directory(
    _ file: InputFile, _ malformed: (String) -> VDSQError
  ) throws(VDSQError) -> (offset: Int, length: Int, count: Int) {
    let tailLength = min(file.length, 22 + 65_535 + 20)
    let tail = try file.bytes(at: file.length - tailLength, count: tailLength)
    guard tail.count >= 22,
      let end = stride(from: tail.count - 22, through: 0, by: -1).first(where: {
        tail[$0..<$0 + 4].elementsEqual([0x50, 0x4B, 5, 6])
      })
    else { throw malformed("no end of a directory; the file was cut, or is no zip archive") }
    func field(_ bytes: [UInt8], _ offset: Int, _ size: Int) -> UInt64 {
      (0..<size).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }
    var count = field(tail, end + 10, 2)
    var length = field(tail, end + 12, 4)
    var offset = field(tail, end + 16, 4)
    if count == 0xFFFF || length == 0xFFFF_FFFF || offset == 0xFFFF_FFFF, end >= 20 {
      guard tail[end - 20..<end - 16].elementsEqual([0x50, 0x4B, 6, 7]) else {
        throw malformed("the directory's long form is missing")
      }
      let place = field(tail, end - 20 + 8, 8)
      guard place <= UInt64(file.length), file.length - Int(place) >= 56 else {
        throw malformed("the directory's long form lies outside of the file")
      }
      let record = try file.bytes(at: Int(place), count: 56)
      count = field(record, 32, 8)
      length = field(record, 40, 8)
      offset = field(record, 48, 8)
    }
    guard count <= UInt64(mostEntries), length <= 1 << 28, offset <= UInt64(file.length),
      length <= UInt64(file.length) - offset
    else { throw malformed("the directory lies outside of the file, or is too long") }
    return (Int(offset), Int(length), Int(count))
  }
}
