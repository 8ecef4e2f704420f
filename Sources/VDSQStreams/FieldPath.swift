package import VDSQFormat

/// The way to a field of a JSON record: keys with dots in between, such as `message.body`.
///
/// A key that has dots itself is found under its whole name.
package struct FieldPath: Sendable {
  /// The name of the field in what is written.
  package let name: String
  /// The path as UTF-8.
  let bytes: [UInt8]

  /// - Throws: `usage` if a key is empty.
  package init(_ path: String) throws(VDSQError) { try self.init(path, name: path) }

  private init(_ path: String, name: String) throws(VDSQError) {
    bytes = Array(path.utf8)
    self.name = name
    let dot = UInt8(ascii: ".")
    var previous = dot
    for byte in bytes {
      if byte == dot, previous == dot { throw Self.empty(path) }
      previous = byte
    }
    if previous == dot { throw Self.empty(path) }
  }

  private static func empty(_ path: String) -> VDSQError {
    .usage("field \"\(path)\": a key is empty; a path is such as text or message.body")
  }

  /// Parses `id,ts,meta.id`. With `name=path`, the field has another name in what is written.
  ///
  /// - Throws: `usage` if a path is empty, or two fields have the same name.
  package static func list(_ text: String) throws(VDSQError) -> [FieldPath] {
    var paths: [FieldPath] = []
    for part in text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      let path: FieldPath
      if let equals = part.firstIndex(of: UInt8(ascii: "=")) {
        let name = String(Substring(part[..<equals]))
        guard !name.utf8.isEmpty else { throw empty(name) }
        path = try FieldPath(
          String(Substring(part[part.index(after: equals)...])), name: name)
      } else {
        path = try FieldPath(String(Substring(part)))
      }
      for other in paths where other.name.utf8.elementsEqual(path.name.utf8) {
        throw .usage("the field \(path.name) is there twice")
      }
      paths.append(path)
    }
    return paths
  }
}
