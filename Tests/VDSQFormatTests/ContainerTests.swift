import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFiles
import VDSQFormat

@Suite struct ContainerTests {
  private let folder: TemporaryFolder
  private let bytes: [UInt8]

  init() throws {
    folder = try TemporaryFolder()
    let converter = try Converter(
      folder: Fixtures.path("bert-mean"), options: .init(weights: .int8, coarse: true))
    _ = try converter.write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    bytes = Array(try Data(contentsOf: folder.url.appendingPathComponent("m.vdsq")))
  }

  /// Opening a damaged file must fail with `badInput` and never crash.
  private func expectRefused(
    _ damaged: [UInt8], verify: Bool = false, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let path = try folder.write(damaged, to: "damaged.vdsq")
    #expect(sourceLocation: sourceLocation) {
      let container = try Container(path: path, kind: .model)
      if verify { try container.verify() }
      Issue.record("\(what) was accepted", sourceLocation: sourceLocation)
    } throws: {
      ($0 as? VDSQError)?.category == .badInput && ($0 as! VDSQError).message.contains(path)
    }
  }

  @Test func soundFilesVerify() throws {
    let container = try Container(path: folder.path("m.vdsq"), kind: .model)
    try container.verify()
    #expect(container.header.fileLength == bytes.count)
    for section in container.sections { #expect(section.offset % 64 == 0) }
    for tensor in container.tensors {
      #expect(tensor.error.cosine > (tensor.element == .bits2 ? 0.9 : 0.999))
    }
    let word = try container.tensor("embeddings.word", shape: [container.tensors[0].rows, 48])
    #expect(Int(bitPattern: word.data) % 64 == 0)
  }

  @Test func cutAnywhere() throws {
    let container = try Container(path: folder.path("m.vdsq"), kind: .model)
    var cuts = [0, 1, 63, 64, 65, bytes.count - 1]
    for section in container.sections { cuts += [section.offset, section.offset + section.length] }
    for cut in cuts where cut < bytes.count {
      try expectRefused(Array(bytes[..<cut]), "a file cut at \(cut)")
    }
    try expectRefused(bytes + [0], "a file with a byte more")
  }

  @Test func everyHeaderAndTableByteFlipped() throws {
    let container = try Container(path: folder.path("m.vdsq"), kind: .model)
    for at in 0..<64 + container.sections.count * 64 {
      for mask: UInt8 in [0x01, 0x80, 0xFF] {
        var damaged = bytes
        damaged[at] ^= mask
        try expectRefused(damaged, "byte \(at) ^ \(mask)")
      }
    }
  }

  @Test func everySectionFlipped() throws {
    let container = try Container(path: folder.path("m.vdsq"), kind: .model)
    for section in container.sections {
      for at in [section.offset, section.offset + section.length - 1] {
        var damaged = bytes
        damaged[at] ^= 0x10
        try expectRefused(damaged, verify: true, "section \(section.name), byte \(at)")
      }
    }
  }

  /// A forger can correct the checksums, so every field must still be checked.
  @Test(arguments: [Converter.Weights.int8, .int4])
  func forgedFieldsAreRefusedOrHarmless(_ weights: Converter.Weights) throws {
    let converter = try Converter(
      folder: Fixtures.path("bert-mean"), options: .init(weights: weights, coarse: true))
    _ = try converter.write(
      to: folder.path("m.vdsq"), replace: true, progress: Progress(total: 1) { _ in })
    let bytes = Array(try Data(contentsOf: folder.url.appendingPathComponent("m.vdsq")))
    let crc = CRC32()
    func sealed(_ damaged: [UInt8]) -> [UInt8] {
      var out = damaged
      func put(_ value: UInt32, at: Int) {
        withUnsafeBytes(of: value.littleEndian) { out.replaceSubrange(at..<at + 4, with: $0) }
      }
      func get(_ at: Int) -> Int {
        Int(
          truncatingIfNeeded: out.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: at, as: UInt64.self)
          })
      }
      let count = Int(out.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 32, as: UInt32.self) })
      for entry in 0..<min(count, 32) {
        let at = 64 + entry * 64
        let (start, length) = (get(at + 8), get(at + 16))
        guard start >= 0, length >= 0, start <= out.count, length <= out.count - start else {
          continue
        }
        put(out[start..<start + length].withUnsafeBytes { crc.checksum(of: $0) }, at: at + 32)
      }
      let table = min(64 + count * 64, out.count)
      put(out[64..<max(64, table)].withUnsafeBytes { crc.checksum(of: $0) }, at: 36)
      put(out[..<60].withUnsafeBytes { crc.checksum(of: $0) }, at: 60)
      return out
    }
    #expect(sealed(bytes) == bytes)
    let container = try Container(path: folder.path("m.vdsq"), kind: .model)
    let directory = try #require(container.sections.first { $0.kind == .tensors })
    let metadata = container.sections[0]
    let records = directory.offset + 8
    var places =
      Array(8..<48) + Array(64..<64 + container.sections.count * 64)
      + Array(metadata.offset..<metadata.offset + metadata.length)
      + Array(directory.offset..<records + 3 * 128)
    if weights == .int4 {
      let index = try #require(container.tensors.firstIndex { $0.element == .int4 })
      places = Array(records + index * 128..<records + (index + 1) * 128)
    }
    for at in places {
      for value: UInt8 in [0x00, 0x01, 0x7F, 0xFF] {
        var damaged = bytes
        damaged[at] = value
        let path = try folder.write(sealed(damaged), to: "forged.vdsq")
        do throws(VDSQError) {
          let forged = try Container(path: path, kind: .model)
          // If the file is accepted, every tensor lies inside it.
          for tensor in forged.tensors {
            let section = forged.sections[tensor.section]
            #expect(tensor.dataOffset + tensor.dataLength <= section.length)
            #expect(section.offset + section.length <= bytes.count)
            guard let groups = tensor.groups else { continue }
            let factors = groups.bytes(storedRows: tensor.storedRows, columns: tensor.columns)
            #expect(groups.factorsOffset + factors <= section.length)
            guard tensor.element == .int4 else { continue }
            #expect(groups.zeroPointsOffset + factors / 2 <= section.length)
          }
        } catch {
          let category = error.category
          #expect(category == .badInput)
        }
      }
    }
  }

  /// What reads tables of int8 must never be given four bits without scales.
  @Test func fourBitsWithoutScalesAreOfTheResidualAlone() throws {
    for name in ["bases.fine", "embeddings.word"] {
      let path = folder.path("four.vdsq")
      let writer = try ContainerWriter(path: path, kind: .bases, sectionCount: 3, replace: true)
      try writer.add(.metadata, "metadata", Metadata().encoded())
      try writer.begin(.weights, "rows")
      let offset = try [UInt8](repeating: 0x21, count: 16).withBytes {
        (raw) throws(VDSQError) in try writer.part(raw)
      }
      writer.add(
        TensorRecord(
          name: name, element: .bits4, order: .rowMajor, shape: [4, 8],
          section: writer.sectionIndex, dataOffset: offset, dataLength: 16, scalesOffset: 0,
          rowSumsOffset: 0, error: QuantizationError(maxAbs: 0, rms: 0, cosine: 1)))
      try writer.end()
      _ = try writer.finish()
      if name == "bases.fine" {
        _ = try Container(path: path, kind: .bases)
      } else {
        #expect {
          _ = try Container(path: path, kind: .bases)
        } throws: {
          ($0 as? VDSQError)?.message.contains("four bits without scales") == true
        }
      }
    }
  }

  @Test func otherFilesAreToldApart() throws {
    try expectRefused(Array("hello".utf8), "text")
    try expectRefused([UInt8](repeating: 0, count: 4096), "zeros")
    #expect { try Container(path: folder.path("absent"), kind: .model) } throws: {
      ($0 as? VDSQError)?.category == .missingInput
    }
    #expect { try Container(path: folder.url.path, kind: .model) } throws: {
      ($0 as? VDSQError)?.category == .badInput
    }
    #expect { try Container(path: folder.path("m.vdsq"), kind: .adapter) } throws: {
      ($0 as? VDSQError)?.category == .badInput
    }
  }
}
