import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQFormat
import VDSQInference

import VDSQConversion

/// Every architecture that the list has, and what is refused.
@Suite struct ArchitecturesTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let modelTypes = CheckpointArchitecture.all.flatMap(\.modelTypes)

  /// Folders of fixtures by the `model_type` of their configurations.
  private static let fixtures: [String: String] = {
    var found: [String: String] = [:]
    for name in Fixtures.encoders.map({ "encoders/\($0)" }) + Fixtures.models
      + Fixtures.languageModels.map({ "language-models/\($0)" })
    {
      guard
        let config = try? JSON(
          parsing: Array(Fixtures.data("\(name)/config.json")), context: name),
        let type = config["model_type"]?.text
      else { continue }
      found[type] = name
    }
    return found
  }()

  /// Those that are another one under another name are converted as that.
  private static let aliases = ["xlm-roberta": "roberta", "camembert": "roberta"]

  /// Static embeddings have tests of their own.
  private static let layered = modelTypes.filter {
    !["model2vec", "static-embedding", "wordllama"].contains($0)
  }

  @Test(arguments: layered)
  func everyModelTypeConvertsItsFixture(_ type: String) throws {
    let fixture = try #require(Self.fixtures[Self.aliases[type] ?? type], "no fixture for \(type)")
    let copy = try folder.copy(ofFixture: fixture, as: "copy")
    let file = URL(fileURLWithPath: "\(copy)/config.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    try text.replacing(
      try Regex(#""model_type": "[a-z0-9_-]+""#), with: "\"model_type\": \"\(type)\""
    )
    .write(to: file, atomically: true, encoding: .utf8)
    let path = folder.path("m.vdsq")
    let converter = try Converter(folder: copy, weights: .int8)
    let summary = try converter.write(
      to: path, replace: true, progress: Progress(total: converter.totalBytes) { _ in })
    #expect(summary.unused.allSatisfy { !$0.contains("layer") }, "\(summary.unused)")
    let encoder = try TextEncoder(path: path, options: .init())
    #expect(try encoder.vector(of: "hello world").contains { $0 != 0 })
    // What was written is what the configuration says.
    let source = try ModelSource.read(try Checkpoint(path: copy))
    #expect(
      try Architecture(encoder.container.metadata) == Architecture(source.metadata))
    #expect(encoder.container.metadata.find("model_type") == type)
  }

  @Test func noModelTypeIsThereTwice() {
    #expect(Set(Self.modelTypes).count == Self.modelTypes.count)
    let names = CheckpointArchitecture.all.compactMap(\.gguf?.name)
    #expect(Set(names).count == names.count)
  }

  /// Word embeddings come first: resolving prefixes and bases go by that.
  @Test func wordEmbeddingsComeFirst() {
    for architecture in CheckpointArchitecture.all {
      #expect(architecture.embeddings.first?.name == "embeddings.word")
      #expect(architecture.prefixes.last == "")
    }
  }

  @Test func otherModelTypesAreRefusedByName() throws {
    let copy = try folder.copy(ofFixture: "bert-mean")
    let config = URL(fileURLWithPath: "\(copy)/config.json")
    for (member, word) in [
      (#""model_type": "mamba""#, "architecture mamba is not supported"),
      (#""model": "bert""#, "no model_type"), (#""model_type": 7"#, "no model_type"),
    ] {
      try "{\(member)}".write(to: config, atomically: true, encoding: .utf8)
      #expect { try Converter(folder: copy, weights: .int8) } throws: {
        guard let error = $0 as? VDSQError else { return false }
        let listed = Self.modelTypes.allSatisfy { error.message.contains($0) }
        return error.category == .badInput && error.message.contains(word) && listed
      }
    }
  }

  /// Model types are named in `Architectures/` and nowhere else. GGUF's names of tokenizers, which some
  /// share, and the container's name for BERT's layers are other things.
  @Test func modelTypesAreNamedInOnePlace() throws {
    let sources = Fixtures.folder.deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Sources")
    let other = [
      "GGUFTokenizer.swift", "GGUFTokenizerModel.swift", "GGUFPreTokenizer.swift",
      "GGUFTokenStrip.swift",
      "Architecture+Metadata.swift", "BenchComparison.swift",
      // The reader of folders and files that have no configuration.
      "StaticEmbeddings.swift",
    ]
    let files = try #require(
      FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    var read = 0
    for case let file as URL in files
    where file.pathExtension == "swift" && !file.path.contains("/Architectures/")
      && !other.contains(file.lastPathComponent)
    {
      let text = try String(contentsOf: file, encoding: .utf8)
      read += 1
      for type in Self.modelTypes where text.contains("\"\(type)\"") {
        Issue.record("\(file.lastPathComponent) names \(type)")
      }
    }
    #expect(read > 200)
  }
}
