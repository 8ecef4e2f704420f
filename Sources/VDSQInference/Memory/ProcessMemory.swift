import CShims
package import VDSQFormat
import VDSQStreams

/// The memory of this process, as the system reports it.
package enum ProcessMemory {
  /// Returns freed memory to the system.
  package static func trim() { vdsq_trim_memory() }

  /// Lets all threads share one heap, for programs whose memory matters more than the time of many
  /// threads that allocate. Call this before there are threads.
  package static func shareHeap() { vdsq_share_heap() }

  /// Releases the program's code from memory and keeps the system from mapping more of it than is
  /// used. Used code comes back in small pieces. Call this first in a program for which a megabyte
  /// matters.
  ///
  /// - Parameter piece: the size of a piece in bytes, a multiple of the page size. Larger pieces
  ///   take memory, smaller ones time.
  package static func releaseCode(piece: UInt32) { vdsq_release_code(piece) }

  /// The peak resident set (`VmHWM`) in bytes, or nil if the system does not report it.
  package static func peakResidentBytes() -> Int? { field("VmHWM:") }

  /// The error of work that must stay within a budget and cannot know what it takes.
  package static var unknown: VDSQError {
    VDSQError(.internalFault, "/proc/self/status does not tell this process's memory")
  }

  /// Resident anonymous memory in bytes, or nil if the system does not report it.
  package static func anonymousBytes() -> Int? { field("RssAnon:") }

  /// Resident pages of files (the program, its libraries and maps) in bytes, or nil if the system
  /// does not report them.
  package static func fileBytes() -> Int? { field("RssFile:") }

  /// Resident bytes counted page by page, with the anonymous ones among them. The figures above are
  /// sums that each processor keeps for a while, so they may be off by half a megabyte. Nil if the
  /// system does not report them.
  package static func exactResidentBytes() -> (anonymous: Int, file: Int)? {
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
