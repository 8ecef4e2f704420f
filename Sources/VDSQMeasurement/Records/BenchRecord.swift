import VDSQCheckpoints
package import VDSQFormat
package import VDSQStreams

/// The figures of a bench by name. This is the form in which they are written as JSON, read and
/// compared.
package indirect enum BenchRecord: Sendable, Equatable {
  /// A setting, such as a file's name.
  case text(String)
  case integer(Int)
  case number(Double)
  /// A value that the system did not report.
  case missing
  case group([Member])
  case rows([BenchRecord])

  /// A figure or a setting with its name.
  package struct Member: Sendable, Equatable {
    package let name: String
    package let value: BenchRecord

    package init(name: String, value: BenchRecord) {
      self.name = name
      self.value = value
    }
  }

  /// A group, from names and values in turn.
  package static func group(_ members: KeyValuePairs<String, BenchRecord>) -> BenchRecord {
    .group(members.map { Member(name: $0.key, value: $0.value) })
  }

  static func optional(_ value: Int?) -> BenchRecord { value.map { .integer($0) } ?? .missing }
  static func optional(_ value: Double?) -> BenchRecord { value.map { .number($0) } ?? .missing }

  /// The member of a name; nil if there is none.
  package subscript(_ name: String) -> BenchRecord? {
    guard case .group(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// Any number.
  var value: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }
}

extension BenchRecord: JSONValue {
  /// Writes JSON with a line for each row, and for each group of the outermost object.
  package func write(to json: JSONWriter) { write(to: json, isOutermost: true) }

  /// Writes the members of a group into the open object.
  func writeMembers(to json: JSONWriter, isOutermost: Bool) {
    guard case .group(let members) = self else { return }
    for member in members {
      if isOutermost, case .group = member.value { json.breakLine() }
      json.key(member.name)
      member.value.write(to: json, isOutermost: false)
    }
  }

  private func write(to json: JSONWriter, isOutermost: Bool) {
    switch self {
    case .text(let text): json.write(text)
    case .integer(let number): json.write(number)
    case .number(let number): json.write(number)
    case .missing: json.null()
    case .group: json.object { writeMembers(to: json, isOutermost: isOutermost) }
    case .rows(let rows):
      json.array {
        for row in rows {
          json.breakLine()
          row.write(to: json, isOutermost: false)
        }
      }
    }
  }
}

extension BenchRecord {
  /// Reads the output of `vdsq bench --json`, with or without `--compare`.
  ///
  /// - Throws: `missingInput` or `badInput` for the file.
  package init(path: String) throws(VDSQError) {
    let bytes = try TextFile(path: path, limit: 16 << 20).bytes
    // Invalid UTF-8 is replaced.
    let text = String(decoding: bytes, as: UTF8.self)
    let json = try JSON(parsing: Array(text.utf8), context: path)
    self.init(json["rows"] ?? json)
  }

  private init(_ json: JSON) {
    if let text = json.text {
      self = .text(text)
    } else if let integer = json.integer {
      self = .integer(integer)
    } else if let number = json.double {
      self = .number(number)
    } else if let rows = json.elements {
      self = .rows(rows.map { BenchRecord($0) })
    } else if let members = json.members {
      self = .group(members.map { Member(name: $0.key, value: BenchRecord($0.value)) })
    } else {
      self = .missing
    }
  }
}
