import CShims

/// A whole file, mapped read-only. Pages become resident when they are first touched.
///
/// A small file can be copied instead. Then it does not matter what becomes of the file; touching
/// what a mapped file has lost raises SIGBUS (`ProcessStart.watchMaps`).
package final class MappedFile: @unchecked Sendable {
  /// The path the file was opened with, for error messages.
  package let path: String
  /// The whole file. The pointer is valid as long as this object.
  package let bytes: UnsafeRawBufferPointer
  /// Whether the bytes are a copy. Pages of a copy must not be released.
  package let isCopy: Bool
  private let descriptor: Int32

  /// The longest file that is copied, in bytes.
  private static let longestCopy: Int64 = 1 << 30

  /// - Parameter copies: whether the file is copied rather than mapped.
  /// - Throws: `missingInput` if the file cannot be opened, `badInput` if it is empty, is not a
  ///   regular file, or is too long or changes while it is copied.
  package init(path: String, copies: Bool = false) throws(VDSQError) {
    self.path = path
    let descriptor = path.withCString { vdsq_open_regular($0) }
    guard descriptor >= 0 else {
      throw VDSQError(.missingInput, "\(path): cannot be opened: \(lastErrorText())")
    }
    let length = vdsq_file_length(descriptor)
    guard length > 0 else {
      vdsq_close(descriptor)
      throw .badInput(
        length == 0
          ? "\(path): the file is empty"
          : length == -3
            ? "\(path): this is a folder; vdsq convert makes a .vdsq file of a model's folder"
            : "\(path): this is not a regular file")
    }
    let base: UnsafeRawPointer
    if copies {
      do throws(VDSQError) {
        base = try Self.copy(descriptor, length, path)
      } catch {
        vdsq_close(descriptor)
        throw error
      }
    } else {
      guard let map = vdsq_map_file(descriptor, length) else {
        vdsq_close(descriptor)
        throw VDSQError(.missingInput, "\(path): cannot be mapped: \(lastErrorText())")
      }
      base = map
      path.withCString { vdsq_name_map(map, length, $0) }
    }
    isCopy = copies
    self.descriptor = descriptor
    bytes = UnsafeRawBufferPointer(start: base, count: Int(length))
  }

  private static func copy(
    _ descriptor: Int32, _ length: Int64, _ path: String
  ) throws(VDSQError) -> UnsafeRawPointer {
    guard length <= longestCopy else {
      throw .badInput("\(path): \(length) bytes are more than such a file has")
    }
    guard let memory = vdsq_map_memory(length) else {
      throw VDSQError(.budgetTooSmall, "\(path): no memory for \(length) bytes")
    }
    guard vdsq_read_at(descriptor, memory, length, 0) else {
      vdsq_unmap(memory, length)
      throw .badInput("\(path): it became shorter while it was read")
    }
    return UnsafeRawPointer(memory)
  }

  deinit {
    if !isCopy { vdsq_forget_map(bytes.baseAddress) }
    vdsq_unmap(bytes.baseAddress, Int64(bytes.count))
    vdsq_close(descriptor)
  }

  /// Checks that a mapped file is as long as it was. Behind its end a page has zeros, so what was
  /// computed from a file that became shorter may be wrong.
  ///
  /// - Throws: `badInput` if it became shorter.
  package func checkLength() throws(VDSQError) {
    guard isCopy || vdsq_file_length(descriptor) >= Int64(bytes.count) else {
      throw .badInput("\(path): the file became shorter while it was in use")
    }
  }

  /// Copies bytes without making their pages resident, for example a few rows of a large table.
  ///
  /// - Throws: `badInput` if the file has become shorter since it was opened.
  package func read(
    into destination: UnsafeMutableRawPointer, count: Int, at offset: Int
  ) throws(VDSQError) {
    guard vdsq_read_at(descriptor, destination, Int64(count), Int64(offset)) else {
      throw .badInput("\(path): \(count) bytes at \(offset) cannot be read: \(lastErrorText())")
    }
  }
}

/// The error text of the C library for the last failed call.
package func lastErrorText() -> String { String(cString: vdsq_error_text(vdsq_errno())) }
