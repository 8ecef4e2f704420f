import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat

/// The same model in several formats gives the same weights, bit for bit.
@Suite struct FormatTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Checksums of the sections that hold weights, by name.
  private func weights(_ source: String) throws -> [String: UInt32] {
    let converter = try Converter(folder: source, weights: .int8)
    let path = folder.path("model.vdsq")
    _ = try converter.write(
      to: path, replace: true, progress: Progress(total: converter.totalBytes) { _ in })
    let sections = try Container(path: path, kind: .model).sections.filter { $0.kind == .weights }
    return Dictionary(uniqueKeysWithValues: sections.map { ($0.name, $0.checksum) })
  }

  @Test(arguments: ["llama", "gpt2"])
  func ggufIsTheSameModel(_ name: String) throws {
    #expect(
      try weights(Fixtures.path("formats/\(name).gguf"))
        == weights(Fixtures.path("language-models/\(name)")))
  }

  @Test(arguments: ["gpt2", "roberta"])
  func pyTorchIsTheSameModel(_ name: String) throws {
    let copy = try folder.copy(ofFixture: "language-models/\(name)", as: name)
    try FileManager.default.removeItem(atPath: "\(copy)/model.safetensors")
    try FileManager.default.copyItem(
      atPath: Fixtures.path("formats/\(name).bin"), toPath: "\(copy)/pytorch_model.bin")
    #expect(try weights(copy) == weights(Fixtures.path("language-models/\(name)")))
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
