import VDSQCheckpoints
import VDSQFormat

/// Reads `config.json` with errors that name the key.
struct ConfigReader {
  let json: JSON
  let path: String
  /// Whether the checkpoint is a folder. Configurations of other formats are made by their readers.
  let isFolder: Bool

  init(_ folder: Checkpoint) {
    json = folder.config
    isFolder = folder.isFolder
    path = "\(folder.path)/config.json"
  }

  /// Checks every key.
  ///
  /// - Parameters:
  ///   - own: the keys of the architecture.
  ///   - code: classes of code beside checkpoints that compute what the architecture does.
  /// - Returns: warnings about unknown keys.
  /// - Throws: `badInput`, naming a key with a value that the runtime does not compute.
  func check(_ own: [SettingKey], code known: [String]) throws(VDSQError) -> [String] {
    let unknown = try SettingKeys.config(own).check(json, path: path)
    if let code = self["auto_map"]?.members?.first(where: { member in
      member.key.hasPrefix("AutoModel")
        && !known.contains { member.value.text?.hasSuffix(".\($0)") ?? false }
    }) {
      throw .badInput(
        "\(path): auto_map: \(code.key) is code of the model's own (\(code.value.brief)), which is not "
          + "run; remove it if transformers' own class gives the same")
    }
    try Quantization.check(self)
    return unknown.map { "\(path): \($0) is not known, and not followed" }
  }

  subscript(_ key: String) -> JSON? {
    let value = json[key]
    return value?.isNull == true ? nil : value
  }

  func size(
    _ key: String, _ limit: Int, default standard: Int? = nil
  ) throws(VDSQError) -> Int {
    guard let value = self[key] else {
      if let standard { return standard }
      throw .badInput("\(path): \(key) is missing")
    }
    guard let size = value.integer, size >= 1, size <= limit else {
      throw .badInput("\(path): \(key) is not in 1...\(limit)")
    }
    return size
  }

  func epsilon(_ key: String, default standard: Double) throws(VDSQError) -> Double {
    let value = try number(key) ?? standard
    guard value > 0, value < 1 else { throw .badInput("\(path): \(key) is not between 0 and 1") }
    return value
  }

  func activation(
    _ key: String, default standard: ActivationFunction
  ) throws(VDSQError) -> ActivationFunction {
    guard let value = self[key] else { return standard }
    guard let name = value.text else { throw .badInput("\(path): \(key) is no text") }
    guard let activation = ActivationFunction(named: name) else {
      let supported = ActivationFunction.allCases.map(\.name).joined(separator: ", ")
      throw .badInput("\(path): \(key): activation \(name); supported: \(supported)")
    }
    return activation
  }

  /// A number; nil if it is absent.
  func number(_ key: String) throws(VDSQError) -> Double? {
    guard let value = self[key] else { return nil }
    guard let number = value.double else { throw .badInput("\(path): \(key) is no number") }
    return number
  }

  func flag(_ key: String, default standard: Bool) throws(VDSQError) -> Bool {
    guard let value = self[key] else { return standard }
    guard let flag = value.boolean else {
      throw .badInput("\(path): \(key) is neither true nor false")
    }
    return flag
  }
}
