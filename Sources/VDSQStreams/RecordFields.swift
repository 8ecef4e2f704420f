package import VDSQFormat

/// The values of some fields of JSON records, one record after another. Allocates nothing after the
/// first records.
///
///     let fields = RecordFields([try FieldPath("message.body"), try FieldPath("id")])
///     try fields.read(line)
///     if let body = fields.values[0], body.kind == .string { fields.decode(body, into: &text) }
package final class RecordFields {
  /// The paths of the fields.
  package let paths: [FieldPath]
  /// How many of them, from the first on, are texts; the others are passed on.
  package let texts: Int
  /// The value of each path in the last record; nil if it has none.
  package private(set) var values: [JSONScanner.Value?]
  private var record = UnsafeRawBufferPointer(start: nil, count: 0)
  /// For each level of nesting, how much of each path the keys above match: the offset of the rest,
  /// or a negative number.
  private var offsets: [Int] = []
  private var key: [UInt8] = []
  private static let elsewhere = -1
  private static let here = -2

  package init(_ paths: [FieldPath], texts: Int = 1) {
    self.paths = paths
    self.texts = texts
    values = [JSONScanner.Value?](repeating: nil, count: paths.count)
  }

  /// Reads a record, which must stay where it is as long as its values are used.
  ///
  /// - Throws: `badInput` if it is malformed or no object, or has a wanted field twice.
  package func read(_ line: UnsafeRawBufferPointer) throws(VDSQError) {
    forget()
    record = line
    var scanner = JSONScanner(line)
    guard scanner.peek() == UInt8(ascii: "{") else {
      _ = try scanner.value()
      try scanner.end()
      throw .badInput("not a JSON object")
    }
    reserve(paths.count)
    for i in paths.indices { offsets[i] = 0 }
    do throws(VDSQError) {
      try search(&scanner, level: 0)
      try scanner.end()
    } catch {
      forget()
      throw error
    }
  }

  /// Forgets the values of the last record.
  package func forget() {
    for i in values.indices { values[i] = nil }
  }

  /// Appends the text of a field.
  ///
  /// - Parameter index: the index of its path.
  /// - Returns: the number of halves of surrogate pairs, which became U+FFFD.
  /// - Throws: `badInput` if the field is missing or has no text.
  package func text(_ index: Int, into text: inout [UInt8]) throws(VDSQError) -> Int {
    guard let value = values[index] else { throw without(index, "") }
    switch value.kind {
    case .string: return decode(value, into: &text)
    case .number: throw without(index, ": it is a number")
    case .boolean: throw without(index, ": it is true or false")
    case .null: throw without(index, ": it is null")
    case .array: throw without(index, ": it is an array")
    case .object: throw without(index, ": it is an object")
    }
  }

  /// The name of a class: a text that is not empty, an integer, or `true` or `false` (as a data set
  /// has them), as it is written.
  ///
  /// - Parameters:
  ///   - index: the index of its path.
  ///   - allowsFractions: whether any number will do.
  /// - Throws: `badInput` if the field is missing or has another value.
  package func name(
    _ index: Int, allowsFractions: Bool = false
  ) throws(VDSQError) -> String {
    guard let value = values[index] else { throw .badInput("no field \(path(index))") }
    var name: [UInt8] = []
    let halves = decode(value, into: &name)
    switch value.kind {
    case .string:
      guard !name.isEmpty else { throw .badInput("the field \(path(index)) is empty") }
      guard halves + name.withUnsafeBytes({ UTF8Decoder.replacements(in: $0) }) == 0 else {
        throw .badInput("the field \(path(index)) is not UTF-8")
      }
    case .boolean: break
    case .number:
      let isWhole = name.allSatisfy { $0 >= 0x30 && $0 <= 0x39 || $0 == UInt8(ascii: "-") }
      guard isWhole || allowsFractions else {
        let number = String(decoding: name, as: UTF8.self)
        throw .badInput(
          "the field \(path(index)) is the number \(number); a label is a text or an integer")
      }
    case .null, .array, .object:
      throw .badInput("the field \(path(index)) is neither a text nor an integer")
    }
    return String(decoding: name, as: UTF8.self)
  }

  private func without(_ index: Int, _ why: StaticString) -> VDSQError {
    .badInput("no text in the field \(path(index))\(why)")
  }

  /// The path of a field as it was given.
  package func path(_ index: Int) -> String { String(decoding: paths[index].bytes, as: UTF8.self) }

  /// Appends the text of a string, or the JSON of another value.
  ///
  /// - Returns: the number of halves of surrogate pairs, which became U+FFFD.
  @discardableResult
  package func decode(_ value: JSONScanner.Value, into text: inout [UInt8]) -> Int {
    guard value.kind == .string else {
      text.append(contentsOf: record[value.range])
      return 0
    }
    return JSONScanner(record).decode(value.range, into: &text)
  }

  /// The bytes of a value in its record; those of a string without its quotes.
  package func bytes(of value: JSONScanner.Value) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: record[value.range])
  }

  private func reserve(_ count: Int) {
    while offsets.count < count { offsets.append(Self.elsewhere) }
  }

  private func search(_ scanner: inout JSONScanner, level: Int) throws(VDSQError) {
    let next = (level + 1) * paths.count
    reserve(next + paths.count)
    try scanner.members { (scanner, range) throws(VDSQError) in
      let descends = match(range, scanner, from: level * paths.count, to: next)
      let value: JSONScanner.Value
      if descends, scanner.peek() == UInt8(ascii: "{") {
        let start = scanner.offset
        try search(&scanner, level: level + 1)
        value = JSONScanner.Value(kind: .object, range: start..<scanner.offset)
      } else {
        value = try scanner.value()
      }
      for i in paths.indices where offsets[next + i] == Self.here {
        guard values[i] == nil else {
          throw .badInput("the field \(path(i)) is there twice")
        }
        values[i] = value
      }
    }
  }

  /// Matches a key with the rest of each path; returns whether a path goes on behind it.
  private func match(
    _ range: Range<Int>, _ scanner: JSONScanner, from: Int, to: Int
  ) -> Bool {
    key.removeAll(keepingCapacity: true)
    scanner.decode(range, into: &key)
    var descends = false
    for i in paths.indices {
      offsets[to + i] = Self.elsewhere
      let start = offsets[from + i]
      guard start >= 0 else { continue }
      let rest = paths[i].bytes[start...]
      guard rest.starts(with: key) else { continue }
      if rest.count == key.count {
        offsets[to + i] = Self.here
      } else if rest[start + key.count] == UInt8(ascii: ".") {
        offsets[to + i] = start + key.count + 1
        descends = true
      }
    }
    return descends
  }
}
