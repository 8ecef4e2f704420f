import CShims
import VDSQStreams

/// What the system says of this process's memory.
public enum ProcessMemory {
  /// Gives memory that was freed back to the system.
  public static func trim() { vdsq_trim_memory() }

  /// Takes the program's code out of memory and keeps the system from mapping more of it than is used: what is used comes
  /// back in small pieces. To be called first of all, where a megabyte counts.
  ///
  /// - Parameter piece: bytes, a multiple of the page's size: larger ones cost memory, smaller ones time.
  public static func releaseCode(piece: UInt32) { vdsq_release_code(piece) }

  /// The peak resident set (`VmHWM`) in bytes, or nil if the system does not tell.
  public static func peakResidentBytes() -> Int? { field("VmHWM:") }

  /// Resident memory that is nobody else's, in bytes, or nil if the system does not tell.
  public static func anonymousBytes() -> Int? { field("RssAnon:") }

  /// Resident pages of files: the program, its libraries and maps; in bytes, or nil if the system
  /// does not tell.
  public static func fileBytes() -> Int? { field("RssFile:") }

  /// Resident bytes page by page, those that are nobody else's among them: the figures above are sums that each processor
  /// keeps for itself for a while, and may be off by half a megabyte. Nil where the system does not tell.
  public static func exactResidentBytes() -> (anonymous: Int, file: Int)? {
    guard let all = field("Rss:", of: "/proc/self/smaps_rollup"),
      let anonymous = field("Anonymous:", of: "/proc/self/smaps_rollup")
    else {
      guard let anonymous = anonymousBytes(), let file = fileBytes() else { return nil }
      return (anonymous, file)
    }
    return (anonymous, all - anonymous)
  }

  private static func field(_ name: StaticString, of path: String = "/proc/self/status") -> Int? {
    let descriptor = vdsq_open_for_reading(path)
    guard descriptor >= 0 else { return nil }
    defer { vdsq_close(descriptor) }
    let reader = LineReader(descriptor: descriptor, name: path)
    while let line = try? reader.next() {
      let matches = name.withUTF8Buffer { line.bytes.starts(with: $0) }
      guard matches else { continue }
      var kilobytes = 0
      for byte in line.bytes where byte >= 0x30 && byte <= 0x39 {
        kilobytes = kilobytes * 10 + Int(byte - 0x30)
      }
      return kilobytes * 1024
    }
    return nil
  }
}
