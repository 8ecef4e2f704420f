import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFiles
import VDSQFormat

@Suite struct AtomicFileTests {
  @Test func nothingAppearsBeforeTheEnd() throws {
    let folder = try TemporaryFolder()
    let file = try AtomicFile(path: folder.path("x"), replace: false)
    try file.write([UInt8](repeating: 1, count: 1_000_000))
    #expect(folder.contents.filter { !$0.hasPrefix(".") }.isEmpty)
    try file.rewrite([9, 9], at: 3)
    try file.commit()
    #expect(folder.contents == ["x"])
    let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path("x")))
    #expect(bytes.count == 1_000_000 && Array(bytes[2..<6]) == [1, 9, 9, 1])
  }

  @Test func whatIsNotCommittedVanishes() throws {
    let folder = try TemporaryFolder()
    _ = try folder.write(Data("old".utf8), to: "x")
    do {
      let file = try AtomicFile(path: folder.path("x"), replace: true)
      try file.write([1, 2, 3])
    }
    #expect(folder.contents == ["x"])
    #expect(try String(contentsOfFile: folder.path("x"), encoding: .utf8) == "old")
  }

  @Test func aFullDiskIsTold() throws {
    #expect { try AtomicFile(path: "/dev/full", replace: true) } throws: {
      ($0 as? VDSQError)?.category == .usage
    }
  }

  @Test func matricesAreNumPys() throws {
    let folder = try TemporaryFolder()
    let writer = try NPYWriter(path: folder.path("m.npy"), columns: 2, replace: false)
    for row: [Float] in [[1, 2], [3, 4], [5, 6]] { try row.withUnsafeBufferPointer(writer.append) }
    try writer.finish()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path("m.npy")))
    #expect(bytes.count == 128 + 24)
    #expect(Array(bytes[..<8]) == [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0])
    let header = String(decoding: bytes[10..<128], as: UTF8.self)
    #expect(header.hasPrefix("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }"))
    #expect(header.hasSuffix("\n"))
  }
}
