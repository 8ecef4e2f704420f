import CSQLite
import VDSQ

/// Where the result of a function goes.
struct SQLiteResult {
  private let context: OpaquePointer

  init(_ context: OpaquePointer?) { self.context = context! }

  private var api: sqlite3_api_routines { SQLiteRoutines.api.pointee }

  /// The object that the function was registered with.
  var connection: Connection {
    Unmanaged<Connection>.fromOpaque(api.user_data(context)!).takeUnretainedValue()
  }

  func set(_ text: String) {
    let bytes = Array(text.utf8CString)
    api.result_text(context, bytes, Int32(bytes.count - 1), SQLiteRoutines.transient)
  }

  func set(_ text: String?) {
    if let text { set(text) } else { setNull() }
  }

  func set(_ number: Double) { api.result_double(context, number) }

  func set(_ number: Int) { api.result_int64(context, sqlite3_int64(number)) }

  /// A blob of little-endian float32.
  func set(_ vector: [Float]) {
    vector.map(\.bitPattern.littleEndian).withUnsafeBytes {
      api.result_blob(context, $0.baseAddress, Int32($0.count), SQLiteRoutines.transient)
    }
  }

  func setNull() { api.result_null(context) }

  /// Ends the statement with an error.
  func fail(_ error: VDSQError) {
    let message = Array("vdsq: \(error.message)".utf8CString)
    api.result_error(context, message, Int32(message.count - 1))
  }
}
