import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQConversion
import VDSQFormat

/// Files of llama2.c, which have hardly any structure that identifies them.
@Suite struct Llama2CTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func expectRefused(
    _ bytes: Data, mentioning word: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let path = try folder.write(bytes, to: "m.bin")
    #expect(sourceLocation: sourceLocation) { try Checkpoint(path: path) } throws: {
      guard let error = $0 as? VDSQError else { return false }
      return error.category == .badInput && error.message.contains(word)
    }
  }

  private func header(_ values: [Int32]) -> Data {
    var data = Data()
    for value in values { withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) } }
    return data
  }

  @Test(arguments: 0...2)
  func cutAndExtendedFiles(_ version: Int) throws {
    let whole = try Fixtures.data("formats/llama2c/v\(version).bin")
    for cut in [0, 4, 27, 28, 255, 256, 1000, whole.count - 1] {
      try expectRefused(whole.prefix(cut), mentioning: "m.bin")
    }
    try expectRefused(whole + [0], mentioning: "m.bin")
  }

  @Test func sizesThatNoModelHas() throws {
    for at in 0..<7 {
      for value in [0, -1, Int32.min, .max] as [Int32] where !(at == 5 && value == -1) {
        var sizes: [Int32] = [32, 52, 2, 4, 2, 382, 128]
        sizes[at] = value
        try expectRefused(header(sizes) + Data(count: 4096), mentioning: "llama2.c")
      }
    }
    try expectRefused(
      header([32, 52, 2, 3, 3, 10, 8]) + Data(count: 4096), mentioning: "multiples")
    // The largest sizes of all: their product must not overflow, nor be believed.
    try expectRefused(
      header([65536, 1 << 20, 1024, 4096, 4096, 1 << 24, 1 << 24]) + Data(count: 64),
      mentioning: "outside")
  }

  @Test func tokenizersThatAreWrong() throws {
    let model = try Fixtures.data("formats/llama2c/v0.bin")
    let path = try folder.write(model, to: "v0.bin")
    #expect { try Checkpoint(path: path).tokenizer() } throws: {
      ($0 as? VDSQError)?.category == .missingInput
    }
    let whole = try Fixtures.data("formats/llama2c/tokenizer.bin")
    for bytes in [
      Data(), whole.prefix(3), whole.prefix(whole.count - 1), whole.prefix(60),
      whole + [0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF], whole + [0, 0, 0, 0, 1, 0, 0, 0, 0xFF],
      whole + [0, 0, 0xC0, 0x7F, 1, 0, 0, 0, 65],
    ] {
      _ = try folder.write(bytes, to: "tokenizer.bin")
      #expect { try Checkpoint(path: path).tokenizer() } throws: {
        guard let error = $0 as? VDSQError else { return false }
        return error.category == .badInput && error.message.contains("tokenizer.bin")
      }
    }
  }
}
