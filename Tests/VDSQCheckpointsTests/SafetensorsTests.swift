import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQFormat

/// Attacks on safetensors files, and accidents, by name.
@Suite struct SafetensorsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func file(_ header: String, data: Int, headerLength: UInt64? = nil) throws -> String {
    var bytes = Data()
    let length = headerLength ?? UInt64(header.utf8.count)
    withUnsafeBytes(of: length.littleEndian) { bytes.append(contentsOf: $0) }
    bytes.append(Data(header.utf8))
    bytes.append(Data(count: data))
    return try folder.write(bytes, to: "t.safetensors")
  }

  private func expectRefused(
    _ header: String, data: Int, headerLength: UInt64? = nil,
    mentioning word: String = "t.safetensors",
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let path = try file(header, data: data, headerLength: headerLength)
    #expect(sourceLocation: sourceLocation) { try Safetensors(path: path) } throws: {
      guard let error = $0 as? VDSQError else { return false }
      return error.category == .badInput && error.message.contains(word)
        && error.message.contains("t.safetensors")
    }
  }

  private func tensor(_ name: String, _ type: String, _ shape: String, _ span: String) -> String {
    #""\#(name)":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(span)}"#
  }

  @Test func aSoundFile() throws {
    let header =
      #"{"__metadata__":{"format":"pt"},\#(tensor("a", "F32", "[2,2]", "[0,16]")),"#
      + "\(tensor("ids", "I64", "[1]", "[16,24]"))}"
    let tensors = try Safetensors(path: try file(header, data: 24)).tensors
    #expect(tensors["a"]?.shape == [2, 2])
    #expect(try tensors["a"]?.read(rows: 0..<2) == [0, 0, 0, 0])
    #expect(tensors["ids"] == nil)
  }

  /// Integers are weights only if there is a scale for each row beside them.
  @Test func integersNeedScales() throws {
    func file(_ scales: String, _ floats: [Float]) throws -> [String: SourceTensor] {
      let header =
        "{\(tensor("l.weight", "I8", "[2,3]", "[0,6]")),\(tensor("pad", "U8", "[2]", "[6,8]")),\(scales)}"
      var bytes = Data()
      withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
      bytes.append(Data(header.utf8))
      bytes.append(contentsOf: [1, 2, 0xFF, 0x80, 127, 0, 0, 0])
      for value in floats { withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) } }
      return try Safetensors(path: try folder.write(bytes, to: "i.safetensors")).tensors
    }
    let row = try file(tensor("l.weight_scale", "F32", "[2,1]", "[8,16]"), [0.5, 2])
    #expect(try row["l.weight"]?.read(rows: 0..<2) == [0.5, 1, -0.5, -256, 254, 0])
    #expect(try row["l.weight"]?.read(rows: 1..<2) == [-256, 254, 0])
    #expect(row["l.weight_scale"] == nil)
    let bytes = try file(tensor("l.SCB", "F32", "[2]", "[8,16]"), [127, 254])
    #expect(try bytes["l.weight"]?.read(rows: 0..<2) == [1, 2, -1, -256, 254, 0])
    for (name, shape) in [("l.other", "[2,1]"), ("l.weight_scale", "[1,2,1,1]")] {
      let tensors = try file(tensor(name, "F32", shape, "[8,16]"), [1, 1])
      #expect((tensors["l.weight"] == nil) == (name == "l.other"))
    }
    let one = try file(tensor("l.weight_scale", "F32", "[1]", "[8,12]"), [2])
    #expect(try one["l.weight"]?.read(rows: 0..<2) == [2, 4, -2, -256, 254, 0])
    #expect(try one["l.weight"]?.read(rows: 1..<2) == [-256, 254, 0])
    let groups = try file(
      tensor("l.weight_scale", "F32", "[2,3]", "[8,32]"), [1, 2, 3, 4, 5, 6])
    #expect(try groups["l.weight"]?.read(rows: 0..<2) == [1, 4, -3, -512, 635, 0])
    #expect {
      try file(tensor("l.weight_scale", "F32", "[4]", "[8,24]"), [1, 1, 1, 1])
    } throws: { ($0 as? VDSQError)?.message.contains("l.weight_scale of shape [4]") ?? false }
  }

  /// Zero points are subtracted before integers are scaled; what is no such zero point is named.
  @Test func zeroPointsAreSubtracted() throws {
    func file(_ type: String, _ shape: String, _ more: String = "") throws -> SourceTensor? {
      let zeros = type == "I8" ? 2 : 8
      let entries = [
        tensor("w", "I8", "[2,3]", "[0,6]"), tensor("w_scale", "F32", "[2,1]", "[6,14]"),
        tensor("w_zero_point", type, shape, "[14,\(14 + zeros)]"),
      ]
      let header = "{\(entries.joined(separator: ","))\(more)}"
      var bytes = Data()
      withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
      bytes.append(Data(header.utf8))
      bytes.append(contentsOf: [1, 2, 0xFF, 0x80, 127, 0])
      for value in [Float(0.5), 2] { withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) } }
      bytes.append(contentsOf: [1, 0xFE, 0, 0, 0, 0, 0, 0].prefix(zeros))
      if !more.isEmpty { bytes.append(contentsOf: [0, 0, 0, 0]) }
      return try Safetensors(path: try folder.write(bytes, to: "z.safetensors")).tensors["w"]
    }
    let weights = try #require(try file("I8", "[2,1]"))
    #expect(try weights.read(rows: 0..<2) == [0, 0.5, -1, -252, 258, 4])
    #expect(try weights.read(rows: 1..<2) == [-252, 258, 4])
    for (type, shape) in [("I32", "[2,1]"), ("I8", "[1,2,1]")] {
      if type == "I8" {
        #expect(try file(type, shape) != nil)
      } else {
        #expect { try file(type, shape) } throws: {
          ($0 as? VDSQError)?.message.contains("w_zero_point of type I32") ?? false
        }
      }
    }
    #expect {
      try file("I8", "[2,1]", ",\(self.tensor("w_g_idx", "I32", "[1]", "[16,20]"))")
    } throws: { ($0 as? VDSQError)?.message.contains("w_g_idx") ?? false }
  }

  @Test func headerLengthOverflow() throws {
    for length in [UInt64.max, UInt64(Int64.max), 1 << 40, 100_000_001, 1000] {
      try expectRefused("{}", data: 0, headerLength: length, mentioning: "header claims")
    }
  }

  @Test func shortFiles() throws {
    for length in 0..<8 {
      let path = try folder.write(Data(count: length), to: "short.safetensors")
      #expect(throws: VDSQError.self) { try Safetensors(path: path) }
    }
  }

  @Test func offsetsOutsideOfTheFile() throws {
    for span in ["[0,17]", "[8,4]", "[-4,12]", "[0,1e300]", "[9007199254740992,9007199254740992]"] {
      try expectRefused("{\(tensor("a", "F32", "[4]", span))}", data: 16, mentioning: "tensor a")
    }
  }

  @Test func overlappingTensors() throws {
    try expectRefused(
      "{\(tensor("a", "F32", "[2]", "[0,8]")),\(tensor("b", "F32", "[2]", "[4,12]"))}", data: 12,
      mentioning: "overlaps")
  }

  @Test func gaps() throws {
    try expectRefused(
      "{\(tensor("a", "F32", "[1]", "[4,8]"))}", data: 8, mentioning: "belong to none")
    try expectRefused(
      "{\(tensor("a", "F32", "[1]", "[0,4]"))}", data: 8, mentioning: "belong to no tensor")
  }

  @Test func shapeProductOverflow() throws {
    for shape in [
      "[4294967296,4294967296,4]", "[9007199254740991,9007199254740991]", "[-1]", "[1.5]",
    ] {
      try expectRefused("{\(tensor("a", "F32", shape, "[0,4]"))}", data: 4, mentioning: "tensor a")
    }
  }

  @Test func duplicateNames() throws {
    try expectRefused(
      "{\(tensor("a", "F32", "[1]", "[0,4]")),\(tensor("a", "F32", "[1]", "[4,8]"))}", data: 8,
      mentioning: "twice")
  }

  @Test func shapesThatDoNotMatchTheBytes() throws {
    try expectRefused("{\(tensor("a", "F32", "[3]", "[0,16]"))}", data: 16, mentioning: "match")
  }

  @Test func headersThatAreNoObject() throws {
    for header in ["[]", "1", "nul", "", "{\"a\":1}", "{\"a\":{}}"] {
      try expectRefused(header, data: 0)
    }
  }

  @Test func valuesThatAreNoNumbersAreRefused() throws {
    for bits: UInt32 in [0x7FC0_0000, 0x7F80_0000, 0xFF80_0000] {
      let header = "{\(tensor("weird", "F32", "[2,1]", "[0,8]"))}"
      var bytes = Data(try Data(contentsOf: URL(fileURLWithPath: try file(header, data: 4))))
      withUnsafeBytes(of: bits.littleEndian) { bytes.append(contentsOf: $0) }
      let tensor = try Safetensors(path: try folder.write(bytes, to: "nan.safetensors"))
        .tensors["weird"]
      #expect { try tensor?.read(rows: 0..<2) } throws: {
        ($0 as? VDSQError)?.message.contains("tensor weird") == true
      }
    }
  }

  /// Each type's numbers, bit by bit.
  @Test func elementTypes() throws {
    func value(_ type: String, _ bytes: [UInt8]) throws -> Float? {
      let header = "{\(tensor("x", type, "[1]", "[0,\(bytes.count)]"))}"
      var data = Data(try Data(contentsOf: URL(fileURLWithPath: try file(header, data: 0))))
      data.append(contentsOf: bytes)
      return try Safetensors(path: try folder.write(data, to: "x.safetensors"))
        .tensors["x"]?.read(rows: 0..<1)[0]
    }
    #expect(try value("F64", [0, 0, 0, 0, 0, 0, 0xF8, 0xBF]) == -1.5)
    #expect(try value("F32", [0, 0, 0xC0, 0xBF]) == -1.5)
    #expect(try value("F16", [0, 0xBE]) == -1.5)
    #expect(try value("F16", [1, 0]) == 0x1p-24)
    #expect(try value("BF16", [0xC0, 0xBF]) == -1.5)
  }
}
