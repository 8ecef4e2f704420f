import VDSQFormat

/// A compressed section: three bytes of the length that it decodes to, then its bytes.
func fuzzLZ4(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) {
  guard bytes.count >= 3 else { return }
  let length = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2] & 3) << 16
  let section = UnsafeRawBufferPointer(rebasing: bytes[3...])
  guard length / CompressedSection.largestRatio <= section.count else { return }
  // A separate allocation, so that the sanitizer sees an access beyond its end.
  let out = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 64)
  defer { out.deallocate() }
  var scratch: [UInt8] = []
  _ = CompressedSection(section, rawLength: length).decode(into: out, scratch: &scratch)
}
