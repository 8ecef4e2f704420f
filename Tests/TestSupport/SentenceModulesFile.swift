import Foundation

/// Sentence encoders with modules and prompts (Tools/reference/make_modules.py).
public struct SentenceModulesFile: Decodable, Sendable {
  /// A model on the backbone of another fixture.
  public struct Model: Decodable, CustomStringConvertible, Sendable {
    public let name: String
    let base: String
    /// The vectors of the file's texts.
    public let vectors: [[Float]]
    /// The vectors with each prompt.
    public let prompted: [String: [[Float]]]
    /// The vectors that are cut to `dimensions` and scaled to length 1 again.
    public let short: [[Float]]?

    public var description: String { name }

    /// Writes the checkpoint.
    ///
    /// - Returns: its path.
    public func write(to folder: TemporaryFolder) throws -> String {
      let all =
        try JSONSerialization.jsonObject(with: Fixtures.data("sentence-modules.json"))
        as! [String: Any]
      let json = (all["models"] as! [[String: Any]]).first { $0["name"] as! String == name }!
      let path = try folder.copy(ofFixture: base, as: "checkpoint-\(name)")
      func url(_ name: String) throws -> URL {
        let url = URL(fileURLWithPath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        return url
      }
      for (name, content) in json["files"] as! [String: Any] {
        try JSONSerialization.data(withJSONObject: content).write(to: url(name))
      }
      for (name, tensors) in json["weights"] as! [String: [String: [String: Any]]] {
        let file = try url(name)
        try (Data([2, 0, 0, 0, 0, 0, 0, 0]) + Data("{}".utf8)).write(to: file)
        var editor = try SafetensorsEditor(file.path)
        for (tensor, content) in tensors {
          editor.add(
            tensor, content["shape"] as! [Int],
            bytes: Data(base64Encoded: content["data"] as! String)!)
        }
        try editor.write()
      }
      return path
    }
  }

  /// The texts of all vectors.
  public let texts: [String]
  public let models: [Model]

  public static let shared = try! Fixtures.json(
    "sentence-modules.json", as: SentenceModulesFile.self)
}
