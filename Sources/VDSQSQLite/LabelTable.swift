import CSQLite
import VDSQ

/// The table function `vdsq_labels(text, labels, top)`: a row for each label, the most probable
/// first.
enum LabelTable {
  /// Its columns; the last three are the arguments.
  private enum Column {
    static let declaration = """
      CREATE TABLE x(
        label TEXT, probability REAL, score REAL, given INTEGER,
        text HIDDEN, labels HIDDEN, top HIDDEN)
      """
    static let label: Int32 = 0
    static let probability: Int32 = 1
    static let score: Int32 = 2
    static let given: Int32 = 3
    static let text: Int32 = 4
    static let labels: Int32 = 5
  }

  /// The rows of one call.
  private final class Cursor {
    var rows: [Prediction.Candidate] = []
    /// The text's labels.
    var given: [String] = []
    var place = 0
    /// The arguments; nil for those that are left out, or NULL.
    var (text, labels): (String?, String?) = (nil, nil)
    var top: Int?
  }

  /// SQLite's part of a table or a cursor, and an object of ours behind it.
  private struct Slot<Base> {
    let memory: UnsafeMutableRawPointer

    private static var offset: Int { MemoryLayout<Base>.stride }

    init(_ base: Base, _ object: AnyObject) {
      memory = .allocate(
        byteCount: Self.offset + MemoryLayout<UnsafeRawPointer>.size, alignment: 16)
      memory.initializeMemory(as: Base.self, to: base)
      (memory + Self.offset).storeBytes(
        of: UnsafeRawPointer(Unmanaged.passRetained(object).toOpaque()), as: UnsafeRawPointer.self)
    }

    init(_ base: UnsafeMutablePointer<Base>?) { memory = UnsafeMutableRawPointer(base!) }

    var base: UnsafeMutablePointer<Base> { memory.assumingMemoryBound(to: Base.self) }

    private var object: Unmanaged<AnyObject> {
      Unmanaged.fromOpaque((memory + Self.offset).load(as: UnsafeRawPointer.self))
    }

    func object<Object: AnyObject>(as type: Object.Type) -> Object {
      unsafeDowncast(object.takeUnretainedValue(), to: type)
    }

    func end() {
      object.release()
      memory.deallocate()
    }
  }

  /// Registers the table function.
  ///
  /// - Returns: SQLite's code.
  static func register(in database: OpaquePointer?, _ connection: Connection) -> Int32 {
    SQLiteRoutines.api.pointee.create_module_v2(
      database, "vdsq_labels", module, Unmanaged.passRetained(connection).toOpaque(),
      { Unmanaged<Connection>.fromOpaque($0!).release() })
  }

  // SQLite keeps the pointer; it is never freed, nor changed.
  nonisolated(unsafe) private static let module: UnsafePointer<sqlite3_module> = {
    let module = UnsafeMutablePointer<sqlite3_module>.allocate(capacity: 1)
    module.initialize(to: sqlite3_module())
    module.pointee.xConnect = { database, connection, _, _, table, _ in
      let code = SQLiteRoutines.api.pointee.declare_vtab(database, Column.declaration)
      guard code == SQLITE_OK else { return code }
      let object = Unmanaged<Connection>.fromOpaque(connection!).takeUnretainedValue()
      table!.pointee = Slot(sqlite3_vtab(), object).base
      return SQLITE_OK
    }
    module.pointee.xDisconnect = { table in
      Slot(table).end()
      return SQLITE_OK
    }
    module.pointee.xBestIndex = { _, index in plan(&index!.pointee) }
    module.pointee.xOpen = { _, cursor in
      cursor!.pointee = Slot(sqlite3_vtab_cursor(), Cursor()).base
      return SQLITE_OK
    }
    module.pointee.xClose = { cursor in
      Slot(cursor).end()
      return SQLITE_OK
    }
    module.pointee.xFilter = { cursor, given, _, count, values in
      filter(cursor!, given, (0..<Int(count)).map { SQLiteValue(values![$0]) })
    }
    module.pointee.xNext = { cursor in
      Slot(cursor).object(as: Cursor.self).place += 1
      return SQLITE_OK
    }
    module.pointee.xEof = { cursor in
      let cursor = Slot(cursor).object(as: Cursor.self)
      return cursor.place < cursor.rows.count ? 0 : 1
    }
    module.pointee.xColumn = { cursor, context, column in
      let cursor = Slot(cursor).object(as: Cursor.self)
      let (row, result) = (cursor.rows[cursor.place], SQLiteResult(context))
      switch column {
      case Column.label: result.set(row.label)
      case Column.probability: result.set(Double(row.probability))
      case Column.score: result.set(Double(row.cosine))
      case Column.given: result.set(cursor.given.contains(row.label) ? 1 : 0)
      case Column.text: result.set(cursor.text)
      case Column.labels: result.set(cursor.labels)
      default: cursor.top.map(result.set) ?? result.setNull()
      }
      return SQLITE_OK
    }
    module.pointee.xRowid = { cursor, id in
      id!.pointee = sqlite3_int64(Slot(cursor).object(as: Cursor.self).place)
      return SQLITE_OK
    }
    return UnsafePointer(module)
  }()

  /// Asks for the arguments that are given, in the order of their columns. `idxNum` has a bit for
  /// each.
  private static func plan(_ index: inout sqlite3_index_info) -> Int32 {
    var given: [Int32?] = [nil, nil, nil]
    for place in 0..<index.nConstraint {
      let constraint = index.aConstraint[Int(place)]
      guard constraint.iColumn >= Column.text, constraint.op == SQLITE_INDEX_CONSTRAINT_EQ else {
        continue
      }
      // An argument that is not known yet: SQLite tries another order of tables.
      guard constraint.usable != 0 else { return SQLITE_CONSTRAINT }
      given[Int(constraint.iColumn - Column.text)] = place
    }
    var next: Int32 = 1
    index.idxNum = 0
    for (argument, place) in given.enumerated() {
      guard let place else { continue }
      index.aConstraintUsage[Int(place)].argvIndex = next
      index.aConstraintUsage[Int(place)].omit = 1
      index.idxNum |= 1 << Int32(argument)
      next += 1
    }
    (index.estimatedCost, index.estimatedRows) = (1000, 8)
    return SQLITE_OK
  }

  /// Classifies the text of a call.
  private static func filter(
    _ cursor: UnsafeMutablePointer<sqlite3_vtab_cursor>, _ given: Int32, _ values: [SQLiteValue]
  ) -> Int32 {
    var arguments: [SQLiteValue?] = [nil, nil, nil]
    var next = values.makeIterator()
    for argument in arguments.indices where given & (1 << Int32(argument)) != 0 {
      arguments[argument] = next.next()
    }
    let table = cursor.pointee.pVtab!
    let call = Slot(cursor).object(as: Cursor.self)
    (call.rows, call.place) = ([], 0)
    do throws(VDSQError) {
      guard let text = arguments[0] else {
        throw .usage("vdsq_labels(text, labels, top): the text is missing")
      }
      guard !text.isNull else { return SQLITE_OK }
      call.text = text.text
      call.labels = arguments[1].flatMap { $0.isNull ? nil : $0.text }
      call.top = arguments[2].flatMap { $0.isNull ? nil : $0.integer }
      let prediction = try Slot(table).object(as: Connection.self).classify(
        text.text, call.labels, top: call.top)
      call.rows = prediction.candidates
      call.given = prediction.given
      return SQLITE_OK
    } catch {
      SQLiteRoutines.api.pointee.free(table.pointee.zErrMsg)
      table.pointee.zErrMsg = SQLiteRoutines.message("vdsq: \(error.message)")
      return SQLITE_ERROR
    }
  }
}
