import CShims

/// A section in LZ4 blocks (docs/format.md, "Compressed sections"): chunks that decode
/// independently, and a table of their lengths at the end.
package struct CompressedSection {
  /// Decoded bytes of every chunk but the last.
  package static let chunkLength = 1 << 16
  /// The largest ratio of decoded to stored length. It bounds the memory that a few bytes can
  /// claim.
  package static let largestRatio = 64

  private let bytes: UnsafeRawBufferPointer
  private let rawLength: Int

  /// The number of chunks of a section that decodes to `rawLength` bytes.
  package static func chunks(of rawLength: Int) -> Int {
    (rawLength + chunkLength - 1) / chunkLength
  }

  /// A compressed section in place. Nothing is checked before `decode`.
  ///
  /// - Parameters:
  ///   - bytes: the section as stored, with its table of lengths at the end.
  ///   - rawLength: the decoded length in bytes.
  package init(_ bytes: UnsafeRawBufferPointer, rawLength: Int) {
    self.bytes = bytes
    self.rawLength = rawLength
  }

  /// A chunk's entry in the table.
  package struct Entry: Sendable, Equatable {
    /// The number of bytes in the section.
    package let length: Int
    /// Whether the bytes are an LZ4 block rather than the chunk itself.
    package let isCompressed: Bool
    /// The number of byte planes, which is the size of an element: 1, 2 or 4.
    package let planes: Int

    /// An entry for a chunk of `length` stored bytes, less than 2^24.
    package init(length: Int, isCompressed: Bool, planes: Int) {
      self.length = length
      self.isCompressed = isCompressed
      self.planes = planes
    }

    init(_ code: UInt32) {
      length = Int(code & 0xFF_FFFF)
      planes = 1 << Int(code >> 24 & 3)
      isCompressed = code >> 31 == 0
    }

    /// The 32 bits of the table: the length in bits 0 to 23, the base-2 logarithm of `planes` in
    /// bits 24 and 25, and bit 31 set if the chunk is stored uncompressed.
    package var code: UInt32 {
      UInt32(length) | UInt32(planes.trailingZeroBitCount) << 24 | (isCompressed ? 0 : 1 << 31)
    }
  }

  /// Decodes all chunks.
  ///
  /// - Parameters:
  ///   - out: `rawLength` bytes.
  ///   - scratch: grows to the size of a chunk and can be reused for another section.
  ///   - isMapped: whether the section is in a file map, whose pages are then released behind the
  ///     decoder.
  /// - Returns: whether the section is valid.
  package func decode(
    into out: UnsafeMutableRawBufferPointer, scratch: inout [UInt8], isMapped: Bool = false
  ) -> Bool {
    let count = Self.chunks(of: rawLength)
    guard out.count == rawLength, count * 4 <= bytes.count else { return false }
    let table = bytes.count - count * 4
    let longest = min(Self.chunkLength, rawLength)
    if scratch.count < longest { scratch = [UInt8](repeating: 0, count: longest) }
    var start = 0
    var released = 0
    defer { if isMapped { vdsq_release_pages(bytes.baseAddress, Int64(bytes.count)) } }
    for chunk in 0..<count {
      if isMapped, start - released >= 1 << 20 {
        vdsq_release_pages(bytes.baseAddress! + released, Int64(start - released))
        released = start
      }
      let code = bytes.loadUnaligned(fromByteOffset: table + chunk * 4, as: UInt32.self)
      let entry = Entry(UInt32(littleEndian: code))
      guard entry.length <= table - start else { return false }
      let block = UnsafeRawBufferPointer(rebasing: bytes[start..<start + entry.length])
      start += entry.length
      let first = chunk * Self.chunkLength
      let part = UnsafeMutableRawBufferPointer(
        rebasing: out[first..<min(first + Self.chunkLength, rawLength)])
      let isSound = scratch.withUnsafeMutableBytes { (buffer) -> Bool in
        let planes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<part.count])
        let target = entry.planes == 1 ? part : planes
        if entry.isCompressed {
          guard LZ4.decode(block, into: target) else { return false }
        } else {
          guard block.count == target.count else { return false }
          target.copyMemory(from: block)
        }
        if entry.planes > 1 { Self.join(UnsafeRawBufferPointer(planes), entry.planes, into: part) }
        return true
      }
      guard isSound else { return false }
    }
    return start == table
  }

  /// Merges byte planes to elements. All first bytes come first, then all second bytes; remaining
  /// bytes follow.
  private static func join(
    _ planes: UnsafeRawBufferPointer, _ width: Int, into out: UnsafeMutableRawBufferPointer
  ) {
    let elements = planes.count / width
    for plane in 0..<width {
      for i in 0..<elements { out[i * width + plane] = planes[plane * elements + i] }
    }
    for i in elements * width..<planes.count { out[i] = planes[i] }
  }

  /// Splits elements into byte planes, the inverse of what decoding does.
  package static func split(
    _ bytes: UnsafeRawBufferPointer, _ width: Int, into out: UnsafeMutableRawBufferPointer
  ) {
    let elements = bytes.count / width
    for plane in 0..<width {
      for i in 0..<elements { out[plane * elements + i] = bytes[i * width + plane] }
    }
    for i in elements * width..<bytes.count { out[i] = bytes[i] }
  }
}
