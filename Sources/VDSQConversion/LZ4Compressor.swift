import Glibc
public import VDSQFormat

/// The LZ4 library's compressor, loaded when it is first wanted: what runs on the machine later only decodes.
public struct LZ4Compressor: Sendable {
  private typealias Fast =
    @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<CChar>, Int32, Int32) -> Int32
  private typealias Thorough =
    @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<CChar>, Int32, Int32, Int32) -> Int32

  private static let level: Int32 = 9

  private let fast: Fast
  private let thorough: Thorough

  /// - Throws: `missingInput` where the library cannot be loaded.
  public init() throws(VDSQError) {
    guard let library = dlopen("liblz4.so.1", RTLD_NOW | RTLD_LOCAL),
      let fast = dlsym(library, "LZ4_compress_default"),
      let thorough = dlsym(library, "LZ4_compress_HC")
    else {
      throw VDSQError(.missingInput, "liblz4.so.1 cannot be loaded: apt-get install liblz4-1")
    }
    self.fast = unsafeBitCast(fast, to: Fast.self)
    self.thorough = unsafeBitCast(thorough, to: Thorough.self)
  }

  /// - Returns: how many bytes of `out` were written, or nil where it is too small for what comes out.
  func compress(
    _ bytes: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer, quickly: Bool
  ) -> Int? {
    let source = bytes.bindMemory(to: CChar.self).baseAddress!
    let target = out.bindMemory(to: CChar.self).baseAddress!
    let sizes = (Int32(bytes.count), Int32(out.count))
    let count =
      quickly
      ? fast(source, target, sizes.0, sizes.1)
      : thorough(source, target, sizes.0, sizes.1, Self.level)
    return count > 0 ? Int(count) : nil
  }
}
