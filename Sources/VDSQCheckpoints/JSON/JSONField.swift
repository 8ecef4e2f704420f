package import VDSQFormat

/// A field of JSON records whose value is a text.
///
///     let body = JSONField("body")
///     body.text(in: try JSON(parsing: line, context: "line 7"))  // nil where it is missing
package struct JSONField: Sendable, Equatable {
  /// A key of the record's object.
  package let name: String

  /// - Parameter name: a key of the record's object.
  package init(_ name: String) { self.name = name }

  /// The field's text; nil if the record is not an object, does not have the field, or its value is
  /// not a string.
  package func text(in record: JSON) -> String? { record[name]?.text }

  /// The field's text in one line of JSON Lines.
  ///
  /// - Parameter context: where the line is from, for error messages.
  /// - Throws: `badInput` if the line is not JSON or does not have a text in the field.
  package func text(
    inLine line: UnsafeRawBufferPointer, context: String
  ) throws(VDSQError) -> String {
    guard let text = text(in: try JSON(parsing: line, context: context)) else {
      throw .badInput("\(context): no text in the field \(name)")
    }
    return text
  }
}
