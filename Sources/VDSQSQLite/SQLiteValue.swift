import CSQLite
import VDSQ

/// An argument of a function.
struct SQLiteValue {
  private let value: OpaquePointer

  init(_ value: OpaquePointer?) { self.value = value! }

  private var api: sqlite3_api_routines { SQLiteRoutines.api.pointee }

  var isNull: Bool { api.value_type(value) == SQLITE_NULL }

  private var isBlob: Bool { api.value_type(value) == SQLITE_BLOB }

  /// The value as text; numbers are written out.
  var text: String {
    guard let start = api.value_text(value) else { return "" }
    let bytes = UnsafeBufferPointer(start: start, count: Int(api.value_bytes(value)))
    return String(decoding: bytes, as: UTF8.self)
  }

  var integer: Int { Int(api.value_int64(value)) }

  /// The floats of a blob; nil if the value is no blob.
  ///
  /// - Throws: `usage` if its length is not that of floats.
  func vector() throws(VDSQError) -> [Float]? {
    guard isBlob else { return nil }
    let count = Int(api.value_bytes(value))
    guard count % MemoryLayout<Float>.size == 0, count > 0, let start = api.value_blob(value) else {
      throw .usage("a blob of \(counted(count, "byte")) is no vector of float32")
    }
    // A blob need not be aligned.
    return (0..<count / 4).map {
      Float(bitPattern: start.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self).littleEndian)
    }
  }
}
