import Glibc
import VDSQFiles
import VDSQFormat

/// States that are read from a cache's file whenever they are needed.
package final class StateRecords: Sendable {
  /// The number of elements of a state.
  let columns: Int
  private let descriptor: Int32
  /// Where each state begins in the file, in bytes.
  private let offsets: [Int]

  var rows: Int { offsets.count }

  /// - Parameters:
  ///   - descriptor: the open file; it stays the caller's.
  ///   - path: the file, for error messages.
  /// - Throws: `usage` if the process cannot open more files.
  init(_ descriptor: Int32, path: String, offsets: [Int], columns: Int) throws(VDSQError) {
    self.descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    self.offsets = offsets
    self.columns = columns
    guard self.descriptor >= 0 else {
      throw .usage("\(path): cannot be opened again: \(lastErrorText())")
    }
  }

  deinit { close(descriptor) }

  /// Copies a state's first elements. A state that another program has cut off becomes NaN, which
  /// training refuses.
  func copy(_ row: Int, first count: Int, into to: UnsafeMutablePointer<Float>) {
    let bytes = count * MemoryLayout<Float>.size
    var done = 0
    while done < bytes {
      let read = pread(
        descriptor, UnsafeMutableRawPointer(to) + done, bytes - done, offsets[row] + done)
      if read < 0, errno == EINTR { continue }
      guard read > 0 else { return to.update(repeating: .nan, count: count) }
      done += read
    }
  }
}
