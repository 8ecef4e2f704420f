import VDSQCheckpoints
import VDSQFormat

/// Reads `config.json` with errors that name the key.
struct ConfigReader {
  let json: JSON
  let path: String

  init(_ folder: Checkpoint) {
    json = folder.config
    path = "\(folder.path)/config.json"
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
    let value = self[key]?.double ?? standard
    guard value > 0, value < 1 else { throw .badInput("\(path): \(key) is not between 0 and 1") }
    return value
  }

  func activation(
    _ key: String, default standard: ActivationFunction
  ) throws(VDSQError) -> ActivationFunction {
    guard let name = self[key]?.text else { return standard }
    guard let activation = ActivationFunction(named: name) else {
      let supported = ActivationFunction.allCases.map(\.name).joined(separator: ", ")
      throw .badInput("\(path): activation \(name); supported: \(supported)")
    }
    return activation
  }

  func flag(_ key: String, default standard: Bool) -> Bool { self[key]?.boolean ?? standard }
}
