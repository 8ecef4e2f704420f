/// Writes JSON (RFC 8259) into an output buffer; the only JSON writer of this package.
///
///     json.object {
///       json.member("label", "sports")
///       json.key("top")
///       json.array { for id in ids { json.write(id) } }
///     }
///
/// writes `{"label": "sports", "top": [1, 2]}`. Separators are `", "` and `": "`. Several values at
/// the outermost level follow each other with nothing in between, as JSON Lines want them: the
/// caller writes the line ends. Allocates nothing but what the buffer does.
package final class JSONWriter {
  /// The output. What is written to it directly stands between values.
  package let output: OutputBuffer
  /// A bit for each open object or array, the innermost lowest: whether it has an element.
  private var occupied: UInt64 = 0
  /// Objects and arrays that are open, 64 at most.
  private var depth = 0
  /// Whether a key waits for its value.
  private var isAfterKey = false
  /// Whether the next element starts a line.
  private var breaksLine = false

  /// Begins at the outermost level.
  package init(_ output: OutputBuffer) { self.output = output }

  /// An object; `body` writes its members.
  package func object<E>(_ body: () throws(E) -> Void) throws(E) {
    open(0x7B)
    try body()
    close(0x7D)
  }

  /// An array; `body` writes its elements.
  package func array<E>(_ body: () throws(E) -> Void) throws(E) {
    open(0x5B)
    try body()
    close(0x5D)
  }

  /// A member's name; its value is written next.
  package func key(_ name: String) {
    separate()
    output.writeQuoted(name.utf8)
    output.write(": ")
    isAfterKey = true
  }

  /// A value.
  package func write(_ value: some JSONValue) { value.write(to: self) }

  /// A member of an object.
  package func member(_ name: String, _ value: some JSONValue) {
    key(name)
    value.write(to: self)
  }

  /// A member whose value is a number with a fixed number of decimals (see `write(_:decimals:)`).
  package func member(_ name: String, _ value: Float, decimals: Int) {
    member(name, Double(value), decimals: decimals)
  }

  /// A member whose value is a number with a fixed number of decimals (see `write(_:decimals:)`).
  package func member(_ name: String, _ value: Double, decimals: Int) {
    key(name)
    write(value, decimals: decimals)
  }

  /// A number with a fixed number of decimals, one or more.
  ///
  /// JSON has no way to write what is not finite: that becomes `null`, as does a number of 2^62 or
  /// more in units of the last decimal.
  package func write(_ value: Double, decimals: Int) {
    separate()
    if !output.writeIfFinite(value, decimals: decimals) { output.write("null") }
  }

  /// JSON's `null`.
  package func null() { token("null") }

  /// The next element of this object or array starts a line.
  package func breakLine() { breaksLine = true }

  /// A value that is JSON already.
  ///
  /// - Parameter json: one complete value; it is not checked.
  package func write(json: String) {
    separate()
    output.write(json)
  }

  /// Prepares for a value that is written to the output directly.
  package func separateValue() { separate() }

  /// Members of the open object that are JSON already; nothing if there are none.
  ///
  /// - Parameter members: `"key": value`, with a comma and a space in between; not checked.
  package func write(members: UnsafeRawBufferPointer) {
    guard !members.isEmpty else { return }
    separate()
    output.write(members)
  }

  /// What precedes a value or a key; then the text.
  func token(_ text: StaticString) {
    separate()
    output.write(text)
  }

  /// What precedes an element where it stands.
  func separate() {
    if isAfterKey {
      isAfterKey = false
      return
    }
    if depth > 0, occupied & 1 == 1 { output.write(breaksLine ? ",\n" : ", ") }
    occupied |= 1
    breaksLine = false
  }

  private func open(_ bracket: UInt8) {
    precondition(depth < 64, "JSON of more than 64 levels")
    separate()
    output.write(byte: bracket)
    depth += 1
    occupied <<= 1
  }

  private func close(_ bracket: UInt8) {
    output.write(byte: bracket)
    depth -= 1
    occupied >>= 1
    breaksLine = false
  }
}

extension JSONWriter {
  /// JSON as a string.
  ///
  /// - Parameter body: writes one value.
  package static func string<E>(_ body: (JSONWriter) throws(E) -> Void) throws(E) -> String {
    let output = OutputBuffer(descriptor: nil)
    try body(JSONWriter(output))
    return String(decoding: output.bytes, as: UTF8.self)
  }
}
