import TestSupport
import Testing
import VDSQ
import VDSQFormat
import VDSQInference

/// The memory of the vocabulary's rows in plans.
@Suite struct ComparedRowsTests {
  private let fixture = "language-models/llama"

  private func vocabulary(_ path: String, _ options: TextEncoder.Options) throws -> [Int?] {
    try Footprint.each(of: path, options: options).map { footprint in
      footprint.parts.first { $0.name == "vocabulary" }?.bytes
    }
  }

  /// Scoring label words of several tokens reads the LM head.
  @Test func wordsOfSeveralTokensCountTheHead() throws {
    let converted = try ConvertedModel(fixture)
    let model = converted.model
    let head = try #require(
      model.description.find("head.weight") ?? model.description.find("embeddings.word"))
    let section = model.description.sections[head.record.section].rawLength
    var options = TextEncoder.Options()
    #expect(try vocabulary(model.path, options) == [nil, nil, nil])
    let labels = ["quite good", "very bad"].map { Label(name: $0, words: [$0]) }
    options.continuations = try TextClassifier.continuations(of: labels, model)
    #expect(options.continuations.nodes > 0)
    let found = try vocabulary(model.path, options)
    #expect(found[0] == section && found.allSatisfy { $0! > 0 && $0! <= section })
  }

  /// Where rows are released, a window of them is counted for each thread and caller.
  @Test func releasedRowsCountAsWindows() throws {
    let converted = try ConvertedModel(fixture)
    let file = converted.model.description
    var options = TextEncoder.Options()
    options.comparedRows = .head
    let all = options.comparedBytes(of: file, .resident)
    #expect(options.comparedBytes(of: file, .resident, callers: 3) == all)
    #expect(options.comparedBytes(of: file, .stream) == options.comparedBytes(of: file, .release))
    options.comparedRows = .all
    #expect(options.comparedBytes(of: file, .resident) == file.vocabularyBytes)
  }

  /// Decoded sections are counted as tables of the program.
  @Test func decodedRowsAreNotCountedTwice() throws {
    let converted = try ConvertedModel(fixture, compress: true)
    let file = converted.model.description
    var options = TextEncoder.Options()
    options.comparedRows = .all
    #expect(
      options.comparedBytes(of: file, .resident)
        == file.sections.reduce(0) {
          $0 + ($1.kind == .weights && !$1.isLayer && $1.encoding == .raw ? $1.rawLength : 0)
        })
  }
}
