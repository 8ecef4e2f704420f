import CVDSQ
import Synchronization
import VDSQ

/// An object that callers in other languages refer to.
///
/// A subclass names itself for messages. Its objects can be used from several threads.
class Handle: @unchecked Sendable {
  /// The kind of the object, with its article.
  class var kind: String { "a handle" }

  /// Open handles by their numbers. A number is never used twice, so that a handle which is closed
  /// is refused, and not taken for another object at the same address.
  private struct Table: Sendable {
    var handles: [UInt: Handle] = [:]
    var last: UInt = 0
  }

  private static let table = Mutex(Table())

  /// Opens a handle for an object, in place of a pointer that no caller may follow.
  private func open() -> OpaquePointer {
    Self.table.withLock { table in
      // Aligned as an object would be.
      table.last += 16
      table.handles[table.last] = self
      return OpaquePointer(bitPattern: table.last)!
    }
  }

  /// Makes an object, and gives its handle to a caller, who receives NULL after an error.
  static func open(
    _ result: UnsafeMutablePointer<OpaquePointer?>?, _ make: () throws(VDSQError) -> Handle
  ) -> vdsq_status {
    call { () throws(VDSQError) in
      guard let result else { throw .usage("the pointer for the new handle is NULL") }
      result.pointee = nil
      result.pointee = try make().open()
    }
  }

  /// The object of a handle.
  ///
  /// - Throws: `usage` if it is not open, or of another kind.
  static func find(_ handle: OpaquePointer?) throws(VDSQError) -> Self {
    guard let handle else { throw .usage("\(kind) is NULL") }
    guard let found = find(open: handle) else {
      throw .usage("the handle is not \(kind) that is open")
    }
    return found
  }

  /// The object of a handle; nil if it is not open, or of another kind.
  static func find(open handle: OpaquePointer?) -> Self? {
    let number = UInt(bitPattern: handle)
    return table.withLock { $0.handles[number] } as? Self
  }

  /// Closes a handle; does nothing if it is NULL, not open, or of another kind.
  static func close(_ handle: OpaquePointer?) {
    let number = UInt(bitPattern: handle)
    // The object is destroyed outside of the lock, because that may take time.
    let closed = table.withLock { table in
      table.handles[number] is Self ? table.handles.removeValue(forKey: number) : nil
    }
    _ = closed
  }
}
