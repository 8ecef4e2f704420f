import CLZ4

/// The LZ4 library's block compressors.
enum LZ4Compressor {
  /// The effort of `LZ4_compress_HC`, from 1 to 12; 9 is the library's default.
  private static let level: Int32 = 9

  /// Compresses one block.
  ///
  /// - Parameter quickly: use `LZ4_compress_default` rather than `LZ4_compress_HC`.
  /// - Returns: the number of bytes written to `out`, or nil if it is too small.
  static func compress(
    _ bytes: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer, quickly: Bool
  ) -> Int? {
    let source = bytes.bindMemory(to: CChar.self).baseAddress!
    let target = out.bindMemory(to: CChar.self).baseAddress!
    let sizes = (Int32(bytes.count), Int32(out.count))
    let count =
      quickly
      ? LZ4_compress_default(source, target, sizes.0, sizes.1)
      : LZ4_compress_HC(source, target, sizes.0, sizes.1, level)
    return count > 0 ? Int(count) : nil
  }
}
