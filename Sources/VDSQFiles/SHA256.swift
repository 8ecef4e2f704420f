import CNettle

/// SHA-256 (FIPS 180-4), by libnettle.
///
///     var hash = SHA256()
///     hash.update(chunk)
///     let digest = hash.finalize()  // 32 bytes
package struct SHA256 {
  /// The size of a digest in bytes.
  package static let length = 32

  private var context = sha256_ctx()

  /// The hash of no bytes.
  package init() { nettle_sha256_init(&context) }

  /// Appends bytes to the hashed input.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    nettle_sha256_update(
      &context, bytes.count, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
  }

  /// The digest of all bytes so far, 32 bytes. Resets the hash to the empty input.
  package mutating func finalize() -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Self.length)
    nettle_sha256_digest(&context, digest.count, &digest)
    return digest
  }

  /// The digest of some bytes, 32 bytes.
  package static func digest(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finalize()
  }
}
