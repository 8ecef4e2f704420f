import CSQLite
import VDSQ

/// The scalar functions of the extension.
enum Functions {
  private typealias Body =
    @convention(c) (
      OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?
    ) -> Void

  /// Registers them. All share one object, which SQLite releases with the connection.
  ///
  /// - Returns: SQLite's code.
  static func register(in database: OpaquePointer?, _ connection: Connection) -> Int32 {
    // The same for the same arguments while a statement runs, so that SQLite computes it once.
    let usual = SQLITE_UTF8 | SQLITE_DETERMINISTIC
    let all: [(StaticString, Int32, Int32, Body)] = [
      ("vdsq_model", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY, openModel),
      ("vdsq_adapter", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY, openAdapter),
      ("vdsq_embed", 1, usual, embed),
      ("vdsq_similarity", 2, usual, similarity), ("vdsq_label", 1, usual, label),
      ("vdsq_label", 2, usual, label),
    ]
    for (name, count, flags, body) in all {
      let code = SQLiteRoutines.api.pointee.create_function_v2(
        database, name.utf8, count, flags, Unmanaged.passRetained(connection).toOpaque(), body, nil,
        nil, { Unmanaged<Connection>.fromOpaque($0!).release() })
      guard code == SQLITE_OK else { return code }
    }
    return SQLITE_OK
  }

  /// Calls `body` with the arguments unless one is NULL: then the result is NULL too.
  private static func answer(
    _ context: OpaquePointer?, _ count: Int32, _ values: UnsafeMutablePointer<OpaquePointer?>?,
    _ body: (Connection, [SQLiteValue], SQLiteResult) throws(VDSQError) -> Void
  ) {
    let result = SQLiteResult(context)
    let arguments = (0..<Int(count)).map { SQLiteValue(values![$0]) }
    guard !arguments.contains(where: \.isNull) else { return result.setNull() }
    do throws(VDSQError) {
      try body(result.connection, arguments, result)
    } catch { result.fail(error) }
  }

  /// `vdsq_model(path)`: the number of dimensions.
  private static let openModel: Body = { context, count, values in
    answer(context, count, values) { (connection, arguments, result) throws(VDSQError) in
      result.set(try connection.open(arguments[0].text))
    }
  }

  /// `vdsq_adapter(path)`: the number of labels.
  private static let openAdapter: Body = { context, count, values in
    answer(context, count, values) { (connection, arguments, result) throws(VDSQError) in
      result.set(try connection.openAdapter(arguments[0].text))
    }
  }

  /// `vdsq_embed(text)`: a blob.
  private static let embed: Body = { context, count, values in
    answer(context, count, values) { (connection, arguments, result) throws(VDSQError) in
      result.set(try connection.embed(arguments[0].text))
    }
  }

  /// `vdsq_similarity(a, b)`: the cosine of texts or blobs.
  private static let similarity: Body = { context, count, values in
    answer(context, count, values) { (connection, arguments, result) throws(VDSQError) in
      result.set(
        try Connection.cosine(
          try connection.vector(arguments[0]), try connection.vector(arguments[1])))
    }
  }

  /// `vdsq_label(text)`, `vdsq_label(text, labels)`: the most probable of the text's labels; NULL
  /// if it has none, as an adapter of several labels may find.
  private static let label: Body = { context, count, values in
    answer(context, count, values) { (connection, arguments, result) throws(VDSQError) in
      let labels = arguments.count > 1 ? arguments[1].text : nil
      let prediction = try connection.classify(arguments[0].text, labels, top: 1)
      guard let label = prediction.given.first else { return result.setNull() }
      result.set(label)
    }
  }
}

extension Prediction {
  /// The text's labels, best first; none if it has nothing to read.
  var given: [String] { isBlank ? [] : labels }
}

extension StaticString {
  /// Its NUL-terminated bytes.
  fileprivate var utf8: UnsafePointer<CChar> {
    UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
  }
}
