import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQConversion
import VDSQFormat

@Suite struct GGUFTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Every type of the table, against what the `gguf` package decodes of the same bytes, bit for
  /// bit.
  @Test(arguments: GGUFBlockType.all.map(\.name) + ["BF16"])
  func blocksAreDecodedAsTheReferenceDoes(_ name: String) throws {
    let file = try GGUF(path: Fixtures.path("gguf-blocks.gguf"))
    try expectDecoded(name, of: name, in: file)
    // Infinite scales are refused, so these are the largest and the smallest that can occur.
    if file.tensors["\(name).extreme"] != nil {
      try expectDecoded("\(name).extreme", of: name, in: file)
    }
  }

  private func expectDecoded(_ name: String, of type: String, in file: GGUF) throws {
    let golden = try #require(file.tensors["\(name).decoded"])
    let tensor = try #require(file.tensors[name])
    #expect(tensor.type.name == type)
    #expect(tensor.shape == golden.shape)
    func bits(_ tensor: SourceTensor, _ rows: Range<Int>) throws -> [UInt32] {
      try tensor.read(rows: rows).map(\.bitPattern)
    }
    #expect(try bits(tensor, 0..<2) == bits(golden, 0..<2))
    #expect(try bits(tensor, 1..<2) == bits(golden, 1..<2))
  }

  /// Two rows of one number would make the second one unreachable.
  @Test func typesHaveNumbersOfTheirOwn() {
    #expect(Set(GGUFBlockType.all.map(\.id)).count == GGUFBlockType.all.count)
  }

  private func expectRefused(
    _ bytes: [UInt8], mentioning word: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let path = try folder.write(Data(bytes), to: "bad.gguf")
    #expect(sourceLocation: sourceLocation) {
      try GGUF(path: path)
    } throws: {
      guard let error = $0 as? VDSQError else { return false }
      return error.category == .badInput && error.message.contains(word)
    }
  }

  /// A header and as many fields as a test wants.
  private func header(version: UInt32 = 3, tensors: UInt64, metadata: UInt64) -> ByteWriter {
    var out = ByteWriter()
    out.append(bytes: Array("GGUF".utf8))
    out.append(version)
    out.append(tensors)
    out.append(metadata)
    return out
  }

  private func text(_ text: String, to out: inout ByteWriter) {
    out.append(UInt64(text.utf8.count))
    out.append(bytes: Array(text.utf8))
  }

  private func tensor(
    _ name: String, _ shape: [UInt64], type: UInt32, offset: UInt64, to out: inout ByteWriter
  ) {
    text(name, to: &out)
    out.append(UInt32(shape.count))
    for size in shape { out.append(size) }
    out.append(type)
    out.append(offset)
  }

  @Test func knownAttacksAreRefused() throws {
    try expectRefused(Array("GGML".utf8), mentioning: "not a GGUF")
    try expectRefused(header(version: 1, tensors: 0, metadata: 0).bytes, mentioning: "version 1")
    try expectRefused(
      header(tensors: .max, metadata: 0).bytes, mentioning: "more than any model has")
    try expectRefused(header(tensors: 0, metadata: 1 << 40).bytes, mentioning: "more than any")
    var out = header(tensors: 0, metadata: 1)
    out.append(UInt64.max)
    try expectRefused(out.bytes, mentioning: "a text's length")
    // An array of more elements than the file could hold.
    out = header(tensors: 0, metadata: 1)
    text("k", to: &out)
    for field in [UInt32(9), 4] { out.append(field) }
    out.append(UInt64(1 << 23))
    try expectRefused(out.bytes, mentioning: "truncated")
    // Arrays of arrays.
    out = header(tensors: 0, metadata: 1)
    text("k", to: &out)
    for field in [UInt32(9), 9] { out.append(field) }
    out.append(UInt64(1))
    out.append(UInt64(0))
    try expectRefused(out.bytes, mentioning: "unknown things")
    for (shape, type, offset, word): ([UInt64], UInt32, UInt64, String) in [
      ([1 << 32, 1 << 32], 0, 0, "overflows"), ([1 << 20], 0, 0, "outside"),
      ([4], 0, 1 << 40, "outside"), ([31], 8, 0, "whole blocks"),
      ([4], 99, 0, "GGML type 99; supported: F32, F16, BF16, F64, Q4_0"),
      ([4], 16, 0, "GGML type IQ2_XXS; supported"), ([4], 26, 0, "GGML type I32; supported"),
    ] {
      out = header(tensors: 1, metadata: 0)
      tensor("t", shape, type: type, offset: offset, to: &out)
      out.pad(to: 4096)
      try expectRefused(out.bytes, mentioning: word)
    }
    for (first, second, word) in [("a", "a", "twice"), ("a", "b", "overlaps")] {
      out = header(tensors: 2, metadata: 0)
      tensor(first, [4], type: 0, offset: 0, to: &out)
      tensor(second, [4], type: 0, offset: 0, to: &out)
      out.pad(to: 4096)
      try expectRefused(out.bytes, mentioning: word)
    }
  }

  /// A file cut anywhere, or with any byte changed, is refused or harmless.
  @Test(arguments: ["llama", "gpt2"])
  func damagedFilesAreRefused(_ name: String) throws {
    let bytes = [UInt8](try Fixtures.data("formats/\(name).gguf"))
    var random = Random(3)
    for length in stride(from: 0, to: bytes.count, by: 1499) {
      let path = try folder.write(Data(bytes[..<length]), to: "cut.gguf")
      #expect(throws: VDSQError.self) { _ = try Checkpoint(path: path).tokenizer() }
    }
    for _ in 0..<300 {
      var damaged = bytes
      for _ in 0..<3 {
        damaged[Int.random(in: 0..<min(bytes.count, 12_000), using: &random)] =
          UInt8.random(in: 0...255, using: &random)
      }
      let path = try folder.write(Data(damaged), to: "damaged.gguf")
      guard let checkpoint = try? Checkpoint(path: path) else { continue }
      _ = try? checkpoint.tokenizer()
      for tensor in checkpoint.tensors.values where tensor.rows > 0 {
        _ = try? tensor.read(rows: 0..<1)
      }
    }
  }
}
