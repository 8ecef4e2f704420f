import CSQLite
import VDSQ

/// The functions of the SQLite that loaded the extension. A process has one SQLite; the
/// connections of a second one are refused, because their memory would be the first one's.
enum SQLiteRoutines {
  // Written once, before SQLite calls any function of the extension.
  nonisolated(unsafe) static var api: UnsafePointer<sqlite3_api_routines>!

  /// Tells SQLite to copy what it is given.
  static var transient: sqlite3_destructor_type {
    unsafeBitCast(-1, to: sqlite3_destructor_type.self)
  }

  /// A message that SQLite frees.
  static func message(
    _ text: String, of api: UnsafePointer<sqlite3_api_routines>? = api
  ) -> UnsafeMutablePointer<CChar>? {
    let bytes = Array(text.utf8CString)
    guard let copy = api!.pointee.malloc(Int32(bytes.count)) else { return nil }
    copy.copyMemory(from: bytes, byteCount: bytes.count)
    return copy.assumingMemoryBound(to: CChar.self)
  }
}
