import VDSQCheckpoints
import VDSQFormat

/// The keys of a configuration file that are known.
package struct SettingKeys: Sendable {
  /// The name of the file.
  package let file: String
  /// Every key; if one is there twice, the last one counts.
  package let keys: [SettingKey]

  /// The key of a name; nil if it is not known.
  package func key(_ name: String) -> SettingKey? { keys.last { $0.name == name } }

  /// Checks the members of a file.
  ///
  /// - Parameter path: the file, for error messages.
  /// - Returns: the names of unknown keys.
  /// - Throws: `badInput`, naming a key with a value that the runtime does not compute.
  func check(_ json: JSON, path: String) throws(VDSQError) -> [String] {
    guard let members = json.members else { throw .badInput("\(path): this is no JSON object") }
    var unknown: [String] = []
    for member in members {
      guard let key = key(member.key) else {
        unknown.append(member.key)
        continue
      }
      guard key.allows(member.value) else {
        throw .badInput(
          "\(path): \(key.name) \(member.value.brief) is not supported; \(key.supported)")
      }
    }
    return unknown
  }
}
