/// What `JSONWriter` can write as one value.
package protocol JSONValue {
  /// Writes this value where the writer stands.
  func write(to json: JSONWriter)
}

/// A JSON string; any string is valid.
extension String: JSONValue {
  package func write(to json: JSONWriter) {
    json.separate()
    json.output.writeQuoted(utf8)
  }
}

/// A JSON string.
extension StaticString: JSONValue {
  package func write(to json: JSONWriter) {
    json.separate()
    withUTF8Buffer { json.output.writeQuoted($0) }
  }
}

extension Int: JSONValue {
  package func write(to json: JSONWriter) {
    json.separate()
    json.output.write(self)
  }
}

extension Int32: JSONValue {
  package func write(to json: JSONWriter) { Int(self).write(to: json) }
}

extension Bool: JSONValue {
  package func write(to json: JSONWriter) { json.token(self ? "true" : "false") }
}

/// `null` for nil.
extension Optional: JSONValue where Wrapped: JSONValue {
  package func write(to json: JSONWriter) {
    if let self { self.write(to: json) } else { json.null() }
  }
}

extension Array: JSONValue where Element: JSONValue {
  package func write(to json: JSONWriter) {
    json.array { for element in self { element.write(to: json) } }
  }
}

/// The shortest number that reads back as this one; `null` where it is not finite.
extension Double: JSONValue {
  package func write(to json: JSONWriter) {
    guard isFinite else { return json.null() }
    json.write(json: description)
  }
}

/// The shortest number that reads back as this one; `null` where it is not finite.
extension Float: JSONValue {
  package func write(to json: JSONWriter) {
    guard isFinite else { return json.null() }
    json.write(json: description)
  }
}
