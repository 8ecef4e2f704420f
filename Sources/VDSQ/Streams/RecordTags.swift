package import VDSQStreams

/// What identifies the records of a batch in their answers: line number and text, and fields of
/// their JSON. It is written when a record is read, as the record is gone when its answer is due.
/// Allocates nothing after the first batches.
package final class RecordTags {
  private let echoes: Bool
  private let isJSON: Bool
  private let written = OutputBuffer(descriptor: nil)
  /// For each record, the end of its part of what is written.
  private var ends: [Int] = []
  private var text: [UInt8] = []

  /// - Parameters:
  ///   - echoes: whether line number and text are written.
  ///   - isJSON: whether answers are JSON objects; otherwise they are tab-separated.
  package init(echoes: Bool, isJSON: Bool) {
    self.echoes = echoes
    self.isJSON = isJSON
  }

  /// Adds a record.
  package func add(_ record: TextRecord) {
    if isJSON {
      writeMembers(record)
    } else {
      writeColumns(record)
    }
    ends.append(written.bytes.count)
  }

  /// Writes the members of a record into the open object.
  ///
  /// - Parameter index: the record's place in the batch.
  package func writeMembers(of index: Int, to json: JSONWriter) {
    written.bytes.withUnsafeBytes { json.write(members: part($0, index)) }
  }

  /// Writes the columns of a record, each behind a tab.
  ///
  /// - Parameter index: the record's place in the batch.
  package func writeColumns(of index: Int, to output: OutputBuffer) {
    written.bytes.withUnsafeBytes { output.write(part($0, index)) }
  }

  /// Calls `body` with what is written of a record.
  ///
  /// - Parameter index: the record's place in the batch.
  func withPart(_ index: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    written.bytes.withUnsafeBytes { body(part($0, index)) }
  }

  /// Writes the fields that are passed on into the open object.
  func writeFields(_ fields: RecordFields, to json: JSONWriter) {
    for i in fields.texts..<fields.paths.count {
      json.key(fields.paths[i].name)
      json.separateValue()
      write(fields, i, to: json.output)
    }
  }

  /// Whether it is time to write the batch out, so that memory does not grow with its texts.
  package var isLong: Bool { written.bytes.count >= 1 << 16 }

  /// Forgets the batch.
  package func removeAll() {
    written.removeAll()
    ends.removeAll(keepingCapacity: true)
  }

  private func part(_ all: UnsafeRawBufferPointer, _ index: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: all[(index == 0 ? 0 : ends[index - 1])..<ends[index]])
  }

  private func writeMembers(_ record: TextRecord) {
    var isFirst = true
    func key(_ name: String) {
      if !isFirst { written.write(", ") }
      isFirst = false
      written.writeQuoted(name.utf8)
      written.write(": ")
    }
    if echoes {
      key("line")
      written.write(record.line)
      key("text")
      written.writeQuoted(text: record.first)
      if let second = record.second {
        key("second")
        written.writeQuoted(text: second)
      }
    }
    guard let fields = record.fields else { return }
    for i in fields.texts..<fields.paths.count {
      key(fields.paths[i].name)
      write(fields, i, to: written)
    }
  }

  /// A value as JSON; `null` if there is none.
  private func write(_ fields: RecordFields, _ index: Int, to output: OutputBuffer) {
    guard let value = fields.values[index] else { return output.write("null") }
    if value.kind == .string { output.write("\"") }
    output.writeJSON(fields.bytes(of: value))
    if value.kind == .string { output.write("\"") }
  }

  private func writeColumns(_ record: TextRecord) {
    if echoes {
      written.write("\t")
      written.write(record.line)
      written.write("\t")
      written.writeColumn(record.first)
      if let second = record.second {
        written.write("\t")
        written.writeColumn(second)
      }
    }
    guard let fields = record.fields else { return }
    for i in fields.texts..<fields.paths.count {
      written.write("\t")
      guard let value = fields.values[i], value.kind != .null else { continue }
      if value.kind == .string {
        text.removeAll(keepingCapacity: true)
        fields.decode(value, into: &text)
        text.withUnsafeBytes { written.writeColumn($0) }
      } else {
        written.writeJSON(fields.bytes(of: value))
      }
    }
  }
}
