import Foundation
import TestSupport
import Testing
import VDSQFormat

/// The worked example of docs/format.md is a valid file: the reader reads its hex dump.
@Suite struct SpecificationTests {
  @Test func theWorkedExampleIsSound() throws {
    let page = Fixtures.folder.deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("docs/format.md")
    let text = try String(contentsOf: page, encoding: .utf8)
    var bytes: [UInt8] = []
    for line in text.split(separator: "\n") {
      // 00000040  05 00 ...
      guard let match = line.wholeMatch(of: /([0-9a-f]{8})  ((?:[0-9a-f]{2} ?)+).*/) else {
        continue
      }
      #expect(Int(match.1, radix: 16) == bytes.count)
      bytes += match.2.split(separator: " ").map { UInt8($0, radix: 16)! }
    }
    let folder = try TemporaryFolder()
    let container = try Container(
      path: try folder.write(bytes, to: "example.vdsq"), kind: .model)
    try container.verify()
    #expect(try container.metadata.text("architecture") == "example")
    let tensor = try container.tensor("w", shape: [2, 3])
    #expect(tensor.record.element == .int8)
    let values = (0..<6).map { tensor.data.load(fromByteOffset: $0, as: Int8.self) }
    #expect(values == [127, 64, -127, 0, 127, 1])
    #expect(tensor.scales![0] == 0.5 && tensor.scales![1] == 0.25)
  }
}
