public import Foundation

/// The locations of the fixtures and of the programs of this build.
public enum Fixtures {
  /// Tests/Fixtures, from this file's place in the tree.
  public static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures")

  public static let models = ["bert-mean", "bert-cls-f16", "bert-max-bf16", "distilbert-sqrt"]

  /// Checkpoints with an LM head.
  public static let languageModels = [
    "gpt2", "llama", "llama3", "llama-linear", "mistral", "qwen2", "qwen2-yarn", "qwen3", "phi3",
    "phi3-longrope", "gemma", "gpt-neox", "gpt-neox-sequential", "bert", "distilbert", "electra",
    "roberta", "mpnet", "nomic-bert", "gte", "modernbert", "albert", "gemma3", "olmo2",
    "stablelm", "smollm3", "granite", "gemma2", "falcon", "falcon-groups", "falcon-one-norm",
    "falcon-sequential", "mpt", "phi",
  ]

  /// Sentence encoders of other architectures than BERT's.
  public static let encoders = [
    "mpnet", "nomic-bert", "nomic-bert-code", "gte", "gte-code", "modernbert", "embedding-gemma",
    "albert", "jina-bert", "deberta",
  ]

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

/// A text with the outputs of the reference.
public struct Golden: Decodable, Sendable {
  public let text: String
  public let ids: [Int32]
  public let vector: [Float]?
  /// `[layers + 1, tokens, dimensions]`: every layer's states, before a final norm.
  public let layers: [Float]?
}

/// A text with the outputs of a language model in transformers.
public struct LanguageGolden: Decodable, Sendable {
  public let text: String
  public let ids: [Int32]
  /// What the head reads, at the last token or at the mask.
  public let state: [Float]
  public let logits: [Float]
  /// `[layers + 1, tokens, dimensions]`: every layer's states as the head would read them.
  public let layers: [Float]?

  /// Of one of `Fixtures.languageModels`.
  public static func read(_ name: String) throws -> [LanguageGolden] {
    try Fixtures.json("language-models/\(name)/golden.json", as: [LanguageGolden].self)
  }
}

/// The cosine of two vectors.
public func cosine(_ a: [Float], _ b: [Float]) -> Float {
  func dot(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
  return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
}

/// The largest difference, over the reference's largest magnitude.
public func relativeError(_ ours: [Float], _ reference: [Float]) -> Float {
  guard ours.count == reference.count else { return .infinity }
  let size = reference.map(\.magnitude).max() ?? 1
  return (zip(ours, reference).map { ($0 - $1).magnitude }.max() ?? 0) / size
}
