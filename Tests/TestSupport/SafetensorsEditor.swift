public import Foundation

/// A safetensors file to which a test adds tensors, or whose tensors it renames.
public struct SafetensorsEditor {
  private let url: URL
  private var header: [String: Any]
  private var data: Data

  public init(_ path: String) throws {
    url = URL(fileURLWithPath: path)
    let file = try Data(contentsOf: url)
    let length = file[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    header =
      try JSONSerialization.jsonObject(with: file[8..<8 + length]) as? [String: Any] ?? [:]
    data = file[(8 + length)...]
  }

  /// Adds a tensor of float32 whose numbers are all the same.
  public mutating func add(_ name: String, _ shape: [Int], value: Float = 0.5) {
    let count = shape.reduce(1, *)
    header[name] = [
      "dtype": "F32", "shape": shape, "data_offsets": [data.count, data.count + 4 * count],
    ]
    let bytes = withUnsafeBytes(of: value.bitPattern.littleEndian) { Data($0) }
    for _ in 0..<count { data += bytes }
  }

  /// Adds a tensor of float32, or replaces it.
  public mutating func add(_ name: String, _ shape: [Int], bytes: Data) {
    header[name] = [
      "dtype": "F32", "shape": shape, "data_offsets": [data.count, data.count + bytes.count],
    ]
    data += bytes
  }

  /// Gives a tensor another name.
  public mutating func rename(_ old: String, _ new: String) {
    header[new] = header.removeValue(forKey: old)
  }

  /// Replaces the file.
  public func write() throws {
    let bytes = try JSONSerialization.data(withJSONObject: header)
    let length = Data((0..<8).map { UInt8(bytes.count >> ($0 * 8) & 255) })
    try (length + bytes + data).write(to: url)
  }
}
