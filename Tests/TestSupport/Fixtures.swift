import Foundation

/// Where the fixtures and this build's programs are.
public enum Fixtures {
  /// Tests/Fixtures, from this file's place in the tree.
  public static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures")

  public static let models = ["bert-mean", "bert-cls-f16", "bert-max-bf16", "distilbert-sqrt"]

  public static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  public static func data(_ name: String) throws -> Data {
    try Data(contentsOf: folder.appendingPathComponent(name))
  }

  public static func json<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: data(name))
  }

  /// The folder of the built programs, beside the test bundle.
  public static let products = URL(fileURLWithPath: CommandLine.arguments[0])
    .resolvingSymlinksInPath().deletingLastPathComponent()
}

/// A text with what the reference makes of it.
public struct Golden: Decodable, Sendable {
  public let text: String
  public let ids: [Int32]
  public let vector: [Float]?
}
