package import VDSQCheckpoints
package import VDSQFormat
import VDSQStreams

/// A JSON schema as a regular expression, whose matches are texts of JSON that the schema allows.
///
/// Objects have their properties in the order of the schema, and no others. A space may follow `{`,
/// `[`, `,` and `:`, and precede `}` and `]`. What a schema says beyond the keywords below is refused
/// by name, so that no text is wrong.
package struct JSONSchemaPattern {
  /// The regular expression.
  package let pattern: String
  private static let mostDepth = 24
  private static let mostLength = 1 << 20

  private static let space = " ?"
  private static let character =
    #"([^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9A-Fa-f]{4})"#
  private static let integer = "-?(0|[1-9][0-9]{0,15})"

  /// Keywords that allow and forbid nothing.
  private static let annotations: Set<String> = [
    "title", "description", "default", "examples", "$schema", "$id", "$comment", "format", "$defs",
    "definitions", "deprecated", "readOnly", "writeOnly",
  ]

  /// - Parameter path: the file, for messages.
  /// - Throws: `usage`, naming a keyword that is not supported.
  package init(_ schema: JSON, path: String) throws(VDSQError) {
    let reader = Reader(root: schema, path: path)
    pattern = try reader.pattern(of: schema, depth: 0)
  }

  private struct Reader {
    let root: JSON
    let path: String

    func refused(_ what: String) -> VDSQError { .usage("\(path): \(what)") }

    /// The regular expression of a schema within others.
    func pattern(of schema: JSON, depth: Int) throws(VDSQError) -> String {
      let pattern = try whole(schema, depth)
      // Each level copies those within it.
      guard pattern.utf8.count <= JSONSchemaPattern.mostLength else {
        throw refused("the schema is too large")
      }
      return pattern
    }

    private func whole(_ schema: JSON, _ depth: Int) throws(VDSQError) -> String {
      guard depth < JSONSchemaPattern.mostDepth else {
        throw refused("schemas within schemas are too deep")
      }
      guard let members = schema.members else { throw refused("a schema is no object") }
      let keys = members.map(\.key).filter { !JSONSchemaPattern.annotations.contains($0) }
      func check(_ allowed: String...) throws(VDSQError) {
        for key in keys where !allowed.contains(key) {
          throw refused("the keyword \(key) is not supported here")
        }
      }
      if let reference = schema["$ref"] {
        try check("$ref")
        return try pattern(of: try resolved(reference.text ?? ""), depth: depth + 1)
      }
      if let value = schema["const"] {
        try check("const", "type")
        return try literal(value)
      }
      if let values = schema["enum"]?.elements, !values.isEmpty {
        try check("enum", "type")
        var parts: [String] = []
        for value in values { parts.append(try literal(value)) }
        return group(parts)
      }
      if let parts = schema["anyOf"]?.elements, !parts.isEmpty {
        try check("anyOf")
        return group(try patterns(of: parts, depth: depth))
      }
      if let types = schema["type"]?.elements, !types.isEmpty {
        let rest = members.filter { $0.key != "type" }
        var parts: [JSON] = []
        for type in types {
          parts.append(JSON(members: rest.map { ($0.key, $0.value) } + [("type", type)]))
        }
        return group(try patterns(of: parts, depth: depth))
      }
      switch schema["type"]?.text {
      case "string":
        try check("type", "minLength", "maxLength")
        return "\"\(JSONSchemaPattern.character)\(try count(schema, "minLength", "maxLength"))\""
      case "integer":
        try check("type")
        return JSONSchemaPattern.integer
      case "number":
        try check("type")
        return JSONSchemaPattern.integer
          + #"(\.[0-9]{1,15})?([eE][-+]?[0-9]{1,3})?"#
      case "boolean":
        try check("type")
        return "(true|false)"
      case "null":
        try check("type")
        return "null"
      case "array":
        try check("type", "items", "minItems", "maxItems")
        return try array(schema, depth)
      case "object":
        try check("type", "properties", "required", "additionalProperties")
        return try object(schema, depth)
      case let type?: throw refused("the type \(type) is not known")
      case nil: throw refused("a schema has no type")
      }
    }

    private func patterns(of parts: [JSON], depth: Int) throws(VDSQError) -> [String] {
      var patterns: [String] = []
      for part in parts { patterns.append(try pattern(of: part, depth: depth + 1)) }
      return patterns
    }

    private func group(_ parts: [String]) -> String { "(\(parts.joined(separator: "|")))" }

    /// `#/$defs/name`.
    private func resolved(_ reference: String) throws(VDSQError) -> JSON {
      guard reference == "#" || reference.hasPrefix("#/") else {
        throw refused("the reference \(reference) leaves the schema")
      }
      var place = root
      for part in reference.dropFirst(2).split(separator: "/") {
        let key = part.replacing("~1", with: "/").replacing("~0", with: "~")
        guard let next = place[String(key)] else {
          throw refused("the reference \(reference) leads nowhere")
        }
        place = next
      }
      return place
    }

    /// `{m,n}` of two keywords, or `*`.
    private func count(
      _ schema: JSON, _ least: String, _ most: String
    ) throws(VDSQError) -> String {
      let (low, high) = (try number(schema, least), try number(schema, most))
      if low == nil, high == nil { return "*" }
      guard high.map({ $0 >= low ?? 0 }) ?? true else {
        throw refused("\(least) is above \(most)")
      }
      return "{\(low ?? 0),\(high.map { "\($0)" } ?? "")}"
    }

    private func number(_ schema: JSON, _ key: String) throws(VDSQError) -> Int? {
      guard let value = schema[key] else { return nil }
      guard let number = value.integer, number >= 0, number <= 1000 else {
        throw refused("\(key) is no integer from 0 to 1000")
      }
      return number
    }

    private func array(_ schema: JSON, _ depth: Int) throws(VDSQError) -> String {
      guard let items = schema["items"] else { throw refused("an array has no items") }
      let item = "(\(try pattern(of: items, depth: depth + 1)))"
      let (least, most) = (
        try number(schema, "minItems") ?? 0, try number(schema, "maxItems")
      )
      guard most.map({ $0 >= least }) ?? true else { throw refused("minItems is above maxItems") }
      if most == 0 { return #"\[ ?\]"# }
      let more =
        "(,\(JSONSchemaPattern.space)\(item)){\(max(0, least - 1)),\(most.map { "\($0 - 1)" } ?? "")}"
      let filled = item + more
      return #"\["# + JSONSchemaPattern.space + (least == 0 ? "(\(filled))?" : filled)
        + JSONSchemaPattern.space + #"\]"#
    }

    private func object(_ schema: JSON, _ depth: Int) throws(VDSQError) -> String {
      guard let properties = schema["properties"]?.members, !properties.isEmpty else {
        throw refused("an object has no properties")
      }
      if let more = schema["additionalProperties"], more.boolean != false {
        throw refused("additionalProperties other than false are not supported")
      }
      let required = Set((schema["required"]?.elements ?? []).compactMap(\.text))
      for name in required where !properties.contains(where: { $0.key == name }) {
        throw refused("\(name) is required, and no property")
      }
      var own: [(pattern: String, isRequired: Bool)] = []
      for property in properties {
        let value = try pattern(of: property.value, depth: depth + 1)
        own.append(
          (
            "\(try literal(.string(property.key))):\(JSONSchemaPattern.space)(\(value))",
            required.contains(property.key)
          ))
      }
      // What follows the first property that is there, from each place on.
      var behind = [String](repeating: "", count: own.count + 1)
      for i in own.indices.reversed() {
        let next = "(,\(JSONSchemaPattern.space)\(own[i].pattern))"
        behind[i] = next + (own[i].isRequired ? "" : "?") + behind[i + 1]
      }
      var starts: [String] = []
      var isEmptyAllowed = true
      for i in own.indices {
        starts.append("(\(own[i].pattern)\(behind[i + 1]))")
        if own[i].isRequired {
          isEmptyAllowed = false
          break
        }
      }
      return #"\{"# + JSONSchemaPattern.space + group(starts) + (isEmptyAllowed ? "?" : "")
        + JSONSchemaPattern.space + #"\}"#
    }

    /// A value as JSON writes it, as a regular expression.
    private func literal(_ value: JSON) throws(VDSQError) -> String {
      let text =
        switch value {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .string(let text): JSONWriter.string { $0.write(text) }
        default:
          if let integer = value.integer {
            "\(integer)"
          } else {
            throw refused(
              "const and enum have other values than texts, integers, true, false, null")
          }
        }
      var pattern = ""
      for scalar in text.unicodeScalars {
        if #"\.[](){}*+?|^$/"#.unicodeScalars.contains(scalar) { pattern += "\\" }
        pattern.unicodeScalars.append(scalar)
      }
      return pattern
    }
  }
}
