import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQConversion
import VDSQFormat
import VDSQInference

/// The same model in several formats gives the same weights, bit for bit.
@Suite struct FormatTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Checksums of the sections that hold weights, by name.
  private func weights(_ source: String) throws -> [String: UInt32] {
    try convert(source)
    let path = folder.path("model.vdsq")
    let sections = try Container(path: path, kind: .model).sections.filter { $0.kind == .weights }
    return Dictionary(uniqueKeysWithValues: sections.map { ($0.name, $0.checksum) })
  }

  private func convert(_ source: String) throws {
    var options = Converter.Options()
    // The calibration text, which smooths the weights, has other tokens in llama2.c's tokenizer.
    options.smoothing = Smoothing.none
    let converter = try Converter(folder: source, options: options)
    let path = folder.path("model.vdsq")
    _ = try converter.write(
      to: path, replace: true, progress: Progress(total: converter.totalBytes) { _ in })
  }

  private static let texts = ["hello world", "The capital of France", " caf\u{e9} 12!", ""]

  /// The outputs of a converted model for texts.
  private func tokens(_ source: String) throws -> [[Int32]] {
    try convert(source)
    let encoder = try TextEncoder(path: folder.path("model.vdsq"), options: .init())
    return Self.texts.map { text in
      var text = text
      return text.withUTF8 { encoder.tokens(of: UnsafeRawBufferPointer($0)) }
    }
  }

  @Test(arguments: ["llama", "gpt2", "qwen2", "phi3", "gemma", "gemma2"])
  func ggufIsTheSameModel(_ name: String) throws {
    #expect(
      try weights(Fixtures.path("formats/\(name).gguf"))
        == weights(Fixtures.path("language-models/\(name)")))
    #expect(
      try tokens(Fixtures.path("formats/\(name).gguf"))
        == tokens(Fixtures.path("language-models/\(name)")))
  }

  /// GGUF's bert has no LM head: everything below it is the same.
  @Test func ggufIsTheSameEncoder() throws {
    let ours = try weights(Fixtures.path("formats/bert.gguf"))
    let reference = try weights(Fixtures.path("language-models/bert"))
    for name in ["embeddings", "layer.0", "layer.1"] { #expect(ours[name] == reference[name]) }
    #expect(
      try tokens(Fixtures.path("formats/bert.gguf"))
        == tokens(Fixtures.path("language-models/bert")).map { $0.filter { $0 != 4 } })
  }

  /// Encoders with other layers than BERT's, and their fixtures.
  @Test(arguments: [
    ("nomic-bert", "nomic-bert-code"), ("jina-bert", "jina-bert"), ("jina-bert-gated", "jina-bert"),
  ])
  func ggufIsTheSameEncoder(_ name: String, _ fixture: String) throws {
    let ours = try weights(Fixtures.path("formats/\(name).gguf"))
    let reference = try weights(Fixtures.path("encoders/\(fixture)"))
    for name in ["embeddings", "layer.0", "layer.1"] { #expect(ours[name] == reference[name]) }
  }

  /// Models whose scores llama.cpp divides by another number than the fixtures' configuration says.
  @Test(arguments: [
    ("gemma3", "language-models/gemma3"), ("gemma-embedding", "encoders/embedding-gemma"),
  ])
  func ggufHasTheSameWeights(_ name: String, _ fixture: String) throws {
    let ours = try weights(Fixtures.path("formats/\(name).gguf"))
    let gguf = try Container(path: folder.path("model.vdsq"), kind: .model)
    let reference = try weights(Fixtures.path(fixture))
    let folders = try Container(path: folder.path("model.vdsq"), kind: .model)
    for name in ["embeddings", "layer.0", "layer.1", "layer.2"] {
      #expect(ours[name] == reference[name])
    }
    var (a, b) = (try Architecture(gguf.metadata), try Architecture(folders.metadata))
    #expect(b.attentionDivisor == Double(20).squareRoot() && a.attentionDivisor == nil)
    (a.attentionDivisor, b.attentionDivisor) = (nil, nil)
    // Numbers of GGUF files are of single precision.
    #expect((a.normEpsilon - b.normEpsilon).magnitude < 1e-12)
    a.normEpsilon = b.normEpsilon
    // The folder of the encoder cuts texts.
    a.maximumTokens = b.maximumTokens
    #expect(a == b)
    for name in ["modules.0.weight", "modules.1.weight", "rotary.local_frequencies"] {
      #expect((gguf.find(name) == nil) == (folders.find(name) == nil), "\(name)")
    }
  }

  /// Both float32 versions, and the int8 version up to the rounding of its groups.
  @Test func llama2CIsTheSameModel() throws {
    let reference = Fixtures.path("language-models/llama")
    for version in 0...1 {
      let path = Fixtures.path("formats/llama2c/v\(version).bin")
      // The calibration text, which balances the bases, has other tokens in llama2.c's tokenizer.
      let withoutBases = { (sections: [String: UInt32]) in sections.filter { $0.key != "bases" } }
      #expect(try withoutBases(weights(path)) == withoutBases(weights(reference)))
      #expect(try tokens(path) == tokens(reference))
    }
    let exact = try Checkpoint(path: Fixtures.path("formats/llama2c/v1.bin")).tensors
    let rounded = try Checkpoint(path: Fixtures.path("formats/llama2c/v2.bin")).tensors
    #expect(exact.keys == rounded.keys)
    for (name, tensor) in exact where tensor.shape.count == 2 {
      let a = try tensor.read(rows: 0..<tensor.rows)
      let b = try #require(rounded[name]).read(rows: 0..<tensor.rows)
      for first in stride(from: 0, to: a.count, by: 4) {
        let step = a[first..<first + 4].map(\.magnitude).max()! / 127
        for i in first..<first + 4 { #expect((a[i] - b[i]).magnitude <= step * 0.501) }
      }
    }
  }

  @Test(arguments: ["gpt2", "roberta"])
  func pyTorchIsTheSameModel(_ name: String) throws {
    let copy = try folder.copy(ofFixture: "language-models/\(name)", as: name)
    try FileManager.default.removeItem(atPath: "\(copy)/model.safetensors")
    try FileManager.default.copyItem(
      atPath: Fixtures.path("formats/\(name).bin"), toPath: "\(copy)/pytorch_model.bin")
    #expect(try weights(copy) == weights(Fixtures.path("language-models/\(name)")))
  }

  /// A file of weights in a model's folder, whatever it is called.
  @Test func weightsByTheirFile() throws {
    let copy = try folder.copy(ofFixture: "language-models/gpt2", as: "named")
    try FileManager.default.copyItem(
      atPath: Fixtures.path("formats/gpt2.bin"), toPath: "\(copy)/checkpoint.pt")
    try FileManager.default.moveItem(
      atPath: "\(copy)/model.safetensors", toPath: "\(copy)/other.safetensors")
    let reference = try weights(Fixtures.path("language-models/gpt2"))
    for name in ["checkpoint.pt", "other.safetensors"] {
      #expect(try weights("\(copy)/\(name)") == reference)
    }
    #expect { try weights(copy) } throws: { ($0 as? VDSQError)?.category == .missingInput }
    // Without a configuration weights are no model.
    #expect { try weights(Fixtures.path("formats/gpt2.bin")) } throws: {
      guard let error = $0 as? VDSQError else { return false }
      return error.category == .missingInput && error.message.contains("config.json")
    }
  }

  /// A model in two files, with an index.
  @Test func shardsAreTheSameModel() throws {
    let copy = try folder.copy(ofFixture: "language-models/gpt2", as: "shards")
    let whole = "\(copy)/model.safetensors"
    try FileManager.default.moveItem(atPath: whole, toPath: "\(copy)/part.safetensors")
    let names = try SafetensorsNames.read("\(copy)/part.safetensors")
    let map = names.map { "\"\($0)\": \"part.safetensors\"" }.joined(separator: ", ")
    try "{\"weight_map\": {\(map)}}".write(
      toFile: "\(whole).index.json", atomically: true, encoding: .utf8)
    #expect(try weights(copy) == weights(Fixtures.path("language-models/gpt2")))
  }
}

private enum SafetensorsNames {
  static func read(_ path: String) throws -> [String] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let length = (0..<8).reduce(0) { $0 | Int(data[$1]) << (8 * $1) }
    let header = try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: Any]
    return (header ?? [:]).keys.filter { $0 != "__metadata__" }
  }
}
