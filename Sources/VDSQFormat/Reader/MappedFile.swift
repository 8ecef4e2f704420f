import CShims

/// A whole file, mapped read-only. Pages become resident when they are first touched.
package final class MappedFile: @unchecked Sendable {
  /// The path the file was opened with, for error messages.
  package let path: String
  /// The whole file. The pointer is valid as long as this object.
  package let bytes: UnsafeRawBufferPointer
  private let descriptor: Int32

  /// - Throws: `missingInput` if the file cannot be opened, `badInput` if it is empty or is not a
  ///   regular file.
  package init(path: String) throws(VDSQError) {
    self.path = path
    let descriptor = path.withCString { vdsq_open_for_reading($0) }
    guard descriptor >= 0 else {
      throw VDSQError(.missingInput, "\(path): cannot be opened: \(lastErrorText())")
    }
    let length = vdsq_file_length(descriptor)
    guard length > 0 else {
      vdsq_close(descriptor)
      throw .badInput(
        length == 0 ? "\(path): the file is empty" : "\(path): this is not a regular file")
    }
    guard let base = vdsq_map_file(descriptor, length) else {
      vdsq_close(descriptor)
      throw VDSQError(.missingInput, "\(path): cannot be mapped: \(lastErrorText())")
    }
    self.descriptor = descriptor
    bytes = UnsafeRawBufferPointer(start: base, count: Int(length))
  }

  deinit {
    vdsq_unmap(bytes.baseAddress, Int64(bytes.count))
    vdsq_close(descriptor)
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
