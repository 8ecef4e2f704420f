import VDSQCheckpoints
import VDSQFormat

/// The fields of a request's JSON object. What is not known is refused by name, because it could
/// have changed the answer.
struct RequestFields {
  private let members: [JSON.Member]
  /// What precedes the names of fields in messages.
  private let prefix: String

  /// - Parameter known: the names of all fields.
  /// - Throws: `malformed` if the body is no JSON object, `invalid` if it has another field.
  init(_ body: [UInt8], known: [String]) throws(RequestError) {
    let json: JSON
    guard !body.isEmpty else {
      throw RequestError(.malformed, "the body is empty; a JSON object is needed")
    }
    do { json = try JSON(parsing: body, context: "body") } catch {
      throw RequestError(.malformed, error.message)
    }
    try self.init(json, prefix: "", known: known)
  }

  init(_ json: JSON, prefix: String, known: [String]) throws(RequestError) {
    guard let members = json.members else {
      throw RequestError(.invalid, "\(prefix.isEmpty ? "the body" : prefix) is no JSON object")
    }
    self.members = members
    self.prefix = prefix.isEmpty ? "" : prefix + "."
    for member in members where !known.contains(where: { $0.utf8.elementsEqual(member.key.utf8) }) {
      let name = self.prefix + Self.shortened(member.key)
      throw RequestError(
        .invalid, "\(name) is not known; known are \(known.joined(separator: ", "))", field: name)
    }
  }

  private static func shortened(_ text: String) -> String {
    let kept = text.unicodeScalars.prefix(40).map { $0.value < 0x20 ? " " : String($0) }.joined()
    return kept.utf8.count < text.utf8.count ? kept + "..." : kept
  }

  /// A field's value; nil if it is missing or `null`.
  func value(_ name: String) -> JSON? {
    guard let value = members.first(where: { $0.key.utf8.elementsEqual(name.utf8) })?.value,
      !value.isNull
    else { return nil }
    return value
  }

  func needed(_ name: String) throws(RequestError) -> JSON {
    guard let value = value(name) else { throw .invalid(prefix + name, "is missing") }
    return value
  }

  func text(_ name: String) throws(RequestError) -> String? {
    guard let value = value(name) else { return nil }
    guard let text = value.text else { throw .invalid(prefix + name, "is no string") }
    return text
  }

  func neededText(_ name: String) throws(RequestError) -> String {
    guard let text = try needed(name).text else { throw .invalid(prefix + name, "is no string") }
    return text
  }

  func flag(_ name: String) throws(RequestError) -> Bool? {
    guard let value = value(name) else { return nil }
    guard let flag = value.boolean else {
      throw .invalid(prefix + name, "is neither true nor false")
    }
    return flag
  }

  func integer(_ name: String, in range: ClosedRange<Int>) throws(RequestError) -> Int? {
    guard let value = value(name) else { return nil }
    guard let integer = value.integer, range.contains(integer) else {
      throw .invalid(
        prefix + name, "is no integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  func number(_ name: String) throws(RequestError) -> Float? {
    guard let value = value(name) else { return nil }
    guard let number = value.double else { throw .invalid(prefix + name, "is no number") }
    return Float(number)
  }

  /// One of some words.
  func choice(_ name: String, of words: [String]) throws(RequestError) -> String? {
    guard let text = try text(name) else { return nil }
    guard let word = words.first(where: { $0.utf8.elementsEqual(text.utf8) }) else {
      throw .invalid(
        prefix + name,
        "\(Self.shortened(text)) is not possible; possible: \(words.joined(separator: ", "))")
    }
    return word
  }

  /// Strings in an array.
  func texts(_ name: String) throws(RequestError) -> [String]? {
    guard let value = value(name) else { return nil }
    guard let elements = value.elements else { throw .invalid(prefix + name, "is no array") }
    var texts: [String] = []
    texts.reserveCapacity(elements.count)
    for (index, element) in elements.enumerated() {
      guard let text = element.text else {
        throw .invalid(prefix + name, "element \(index) is no string")
      }
      texts.append(text)
    }
    return texts
  }

  /// A field that is an object.
  func object(_ name: String, known: [String]) throws(RequestError) -> RequestFields? {
    guard let value = value(name) else { return nil }
    return try RequestFields(value, prefix: prefix + name, known: known)
  }

  /// What a field's name is in messages.
  func name(_ name: String) -> String { prefix + name }
}
