public import Foundation

/// The heads of Tests/Fixtures/heads.json (Tools/reference/make_heads.py): what changes a copy of
/// another fixture, and what transformers' pipelines make of texts and pairs.
public struct HeadFixture: Decodable, Sendable {
  public struct Tensor: Decodable, Sendable {
    public let shape: [Int]
    public let data: Data
  }

  public struct File: Decodable, Sendable {
    /// The labels of zero-shot classification.
    public let words: [String]
    public let texts: [String]
    /// Texts with spaces that tokenizers add, drop, join, or have in tokens.
    public let spaced: [String]
    public let pairs: [[String]]
    public let heads: [HeadFixture]
  }

  public static let file = try! Fixtures.json("heads.json", as: File.self)

  public static func named(_ name: String) -> HeadFixture {
    file.heads.first { $0.name == name }!
  }

  public let name: String
  let base: String
  let tensors: [String: Tensor]
  public let labels: [String]
  /// The scores of all labels of each text.
  public let texts: [[Float]]?
  public let pairs: [[Float]]?
  public let zeroShot: [[Float]]?
  public let zeroShotMulti: [[Float]]?
  /// The scores of all texts for the texts 1 and 8 as queries.
  public let ranking: [[Float]]?

  /// The entities of each text by strategy: label, score, start and end in characters.
  public let tags: [String: [[Entity]]]?

  /// The entities of `spaced`, a token each.
  public let spaced: [[Entity]]?

  public struct Entity: Decodable, Sendable {
    public let label: String
    public let score: Float
    public let characters: Range<Int>

    public init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      label = try values.decode(String.self)
      score = try values.decode(Float.self)
      let start = try values.decode(Int.self)
      characters = start..<(try values.decode(Int.self))
    }
  }

  enum CodingKeys: String, CodingKey {
    case name, base, tensors, labels, texts, pairs, ranking, tags, spaced
    case zeroShot = "zero_shot"
    case zeroShotMulti = "zero_shot_multi"
  }

  /// The keys of config.json; they have any type.
  private func config() throws -> [String: Any] {
    let all = try JSONSerialization.jsonObject(with: Fixtures.data("heads.json")) as! [String: Any]
    let heads = all["heads"] as! [[String: Any]]
    return heads.first { $0["name"] as! String == name }!["config"] as! [String: Any]
  }

  /// Makes the checkpoint.
  ///
  /// - Returns: its path.
  public func write(in folder: TemporaryFolder) throws -> String {
    let path = try folder.copy(ofFixture: base, as: name)
    for extra in ["modules.json", "sentence_bert_config.json"] {
      try? FileManager.default.removeItem(atPath: "\(path)/\(extra)")
    }
    var editor = try SafetensorsEditor("\(path)/model.safetensors")
    for (name, tensor) in tensors { editor.add(name, tensor.shape, bytes: tensor.data) }
    try editor.write()
    let url = URL(fileURLWithPath: "\(path)/config.json")
    var content = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as! [String: Any]
    content.merge(try config()) { $1 }
    try JSONSerialization.data(withJSONObject: content).write(to: url)
    return path
  }
}
