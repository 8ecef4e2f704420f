package import VDSQCheckpoints
import VDSQFormat

/// A key of a configuration file, and what a conversion does with it.
package struct SettingKey: Sendable {
  /// What a conversion does with a key.
  package enum Use: Sendable {
    /// The conversion follows the value, or refuses it where it reads it.
    case followed
    /// Only these values are what the runtime computes. Others are refused by name.
    case fixed([JSON])
    /// Only null, false, 0, "", [] and {} are what the runtime computes. Others are refused by name.
    case absent
    /// No value changes a vector.
    case harmless
  }

  /// The key in the file.
  package let name: String
  /// What a conversion does with it.
  package let use: Use

  /// Keys that a conversion follows.
  static func followed(_ names: String...) -> [SettingKey] {
    names.map { SettingKey(name: $0, use: .followed) }
  }

  /// A key with values that are computed; null is one of them.
  static func fixed(_ name: String, _ values: JSON...) -> [SettingKey] {
    [SettingKey(name: name, use: .fixed(values))]
  }

  /// Keys that must not be set.
  static func absent(_ names: String...) -> [SettingKey] {
    names.map { SettingKey(name: $0, use: .absent) }
  }

  /// Keys that change no vector.
  static func harmless(_ names: String...) -> [SettingKey] {
    names.map { SettingKey(name: $0, use: .harmless) }
  }

  /// Whether the runtime computes what a value of the key asks for, as far as this is known without
  /// following it.
  func allows(_ value: JSON) -> Bool {
    switch use {
    case .followed, .harmless: true
    case .fixed(let values): value.isNull || values.contains(value)
    case .absent: value.isEmpty
    }
  }

  var supported: String {
    guard case .fixed(let values) = use else { return "it must be absent" }
    return "supported: \(values.map(\.brief).joined(separator: ", "))"
  }
}

extension JSON {
  /// Whether this is null, false, 0, or empty.
  var isEmpty: Bool {
    switch self {
    case .null, .bool(false), .number(0), .string(""): true
    default: elements?.isEmpty ?? members?.isEmpty ?? false
    }
  }

  /// An object with a member of a value, instead of one of the same key.
  func setting(_ key: String, to value: JSON) -> JSON {
    JSON(
      members: (members ?? []).filter { $0.key != key }.map { ($0.key, $0.value) } + [(key, value)])
  }

  /// The value in a message.
  var brief: String {
    if let text { return text.isEmpty ? "\"\"" : text }
    if let integer { return "\(integer)" }
    if let double { return "\(double)" }
    if let boolean { return "\(boolean)" }
    if let elements {
      return elements.count <= 4 ? "[\(elements.map(\.brief).joined(separator: ", "))]" : "[...]"
    }
    if let members { return "{\(members.prefix(4).map(\.key).joined(separator: ", "))}" }
    return "null"
  }
}
