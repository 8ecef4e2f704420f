public import CSQLite
import VDSQ

/// Makes vdsq's functions known to a connection. SQLite finds this function by the name of the
/// library: `.load ./libvdsq`.
@c
public func sqlite3_vdsq_init(
  _ database: OpaquePointer?, _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
  _ api: UnsafePointer<sqlite3_api_routines>?
) -> Int32 {
  guard SQLiteRoutines.api == nil || SQLiteRoutines.api == api else {
    message?.pointee = SQLiteRoutines.message(
      "vdsq: another SQLite of this process has loaded the extension", of: api)
    return SQLITE_ERROR
  }
  SQLiteRoutines.api = api
  let connection = Connection()
  let code = Functions.register(in: database, connection)
  guard code == SQLITE_OK else { return code }
  return LabelTable.register(in: database, connection)
}
