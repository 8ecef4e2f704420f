import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQConversion
import VDSQFormat

/// Texts that JSON schemas allow, and others. Foundation's regular expressions and JSON parser judge.
@Suite struct JSONSchemaPatternTests {
  private func pattern(_ schema: String) throws(VDSQError) -> String {
    try JSONSchemaPattern(try JSON(parsing: Array(schema.utf8), context: "schema"), path: "schema")
      .pattern
  }

  private func matches(_ schema: String, _ text: String) throws -> Bool {
    let expression = try NSRegularExpression(pattern: "\\A(?:\(try pattern(schema)))\\z")
    let range = NSRange(text.startIndex..., in: text)
    let isMatch = expression.firstMatch(in: text, range: range) != nil
    if isMatch {
      _ = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    }
    return isMatch
  }

  @Test(
    arguments: [
      (#"{"type": "string"}"#, [#""""#, #""a \" é \\ \n \u00e9""#], ["a", #""a"#, "\"\n\"", "1"]),
      (#"{"type": "string", "minLength": 2, "maxLength": 3}"#, [#""ab""#, #""\n\t""#], [#""a""#]),
      (#"{"type": "integer"}"#, ["0", "-12"], ["01", "1.0", "+1", ""]),
      (#"{"type": "number"}"#, ["0", "-1.50", "1e-7", "2.5E+3"], [".5", "1.", "--1", "1e"]),
      (#"{"type": ["boolean", "null"]}"#, ["true", "null"], ["True", ""]),
      (
        #"{"enum": ["a.b", 3, null, "é\"\n"]}"#, [#""a.b""#, "3", "null", #""é\"\n""#], [#""axb""#]
      ),
      (#"{"const": "x"}"#, [#""x""#], ["x"]),
      (
        #"{"type": "array", "items": {"type": "integer"}}"#, ["[]", "[1]", "[1, 2,3]", "[ 1 ]"],
        ["[1,]", "[,1]", "[1 2]", "[a]"]
      ),
      (
        #"{"type": "array", "items": {"type": "null"}, "minItems": 2, "maxItems": 3}"#,
        ["[null,null]", "[null, null, null]"], ["[]", "[null]", "[null,null,null,null]"]
      ),
      (
        #"{"type": "array", "items": {"type": "null"}, "maxItems": 1}"#, ["[]", "[null]"],
        ["[null,null]"]
      ),
      (
        #"""
        {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "null"},
        "c": {"type": "boolean"}}, "required": ["b"], "additionalProperties": false}
        """#,
        [
          #"{"b": null}"#, #"{"a": 1, "b": null}"#, #"{"a":1,"b":null,"c":true}"#,
          #"{ "b": null, "c": false }"#,
        ],
        ["{}", #"{"a": 1}"#, #"{"b": null, "a": 1}"#, #"{"b": null,}"#, #"{"a": 1 "b": null}"#]
      ),
      (
        #"{"type": "object", "properties": {"a": {"type": "null"}, "b": {"type": "null"}}}"#,
        ["{}", #"{"a":null}"#, #"{"b":null}"#, #"{"a":null,"b":null}"#], [#"{"a":null"b":null}"#]
      ),
      (
        #"""
        {"$defs": {"p": {"title": "P", "anyOf": [{"type": "string"}, {"type": "null"}]}},
        "type": "object", "properties": {"x": {"$ref": "#/$defs/p"}}, "required": ["x"]}
        """#,
        [#"{"x": null}"#, #"{"x": "y"}"#], [#"{"x": 1}"#]
      ),
    ] as [(String, [String], [String])])
  func schemasAllow(_ schema: String, _ good: [String], _ bad: [String]) throws {
    for text in good { #expect(try matches(schema, text), "\(schema): \(text)") }
    for text in bad { #expect(try !matches(schema, text), "\(schema): \(text)") }
  }

  @Test(arguments: [
    (#"{"type": "integer", "minimum": 3}"#, "minimum"), (#"{"type": "tuple"}"#, "tuple"),
    (#"{"allOf": []}"#, "no type"), (#"{}"#, "no type"), ("[]", "no object"),
    (#"{"type": "string", "pattern": "a"}"#, "pattern"), (#"{"type": "object"}"#, "properties"),
    (#"{"type": "array"}"#, "items"), (##"{"$ref": "#"}"##, "too deep"),
    (#"{"$ref": "other.json"}"#, "leaves"), (##"{"$ref": "#/$defs/x"}"##, "nowhere"),
    (#"{"const": 1.5}"#, "const"), (#"{"const": [1]}"#, "const"),
    (#"{"type": "string", "minLength": 3, "maxLength": 2}"#, "above"),
    (
      #"{"type": "object", "properties": {"a": {"type": "null"}}, "additionalProperties": true}"#,
      "additionalProperties"
    ),
    (
      #"{"type": "object", "properties": {"a": {"type": "null"}}, "required": ["b"]}"#,
      "b is required"
    ),
  ])
  func othersAreRefusedByName(_ schema: String, _ reason: String) throws {
    do throws(VDSQError) {
      _ = try pattern(schema)
      Issue.record("\(schema) is not refused")
    } catch {
      #expect(error.message.contains(reason), "\(error.message)")
    }
  }
}
