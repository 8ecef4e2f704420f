import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQFormat

@Suite struct PyTorchTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// An entry of an archive, with false claims where a test needs them.
  private struct Entry {
    var name: String
    var bytes: [UInt8]
    var method: UInt16 = 0
    var size: UInt32?
    var offset: UInt32?
  }

  /// A zip archive of stored entries.
  private func zip(_ entries: [Entry], count: UInt16? = nil) -> [UInt8] {
    var out = ByteWriter()
    var directory = ByteWriter()
    for entry in entries {
      let start = UInt32(out.count)
      let size = entry.size ?? UInt32(entry.bytes.count)
      func fields(_ writer: inout ByteWriter) {
        let start: [UInt16] = [20, 0, entry.method, 0, 0]
        for field in start { writer.append(field) }
        let sizes: [UInt32] = [0, size, size]
        for field in sizes { writer.append(field) }
        writer.append(UInt16(entry.name.utf8.count))
        writer.append(UInt16(0))
      }
      out.append(UInt32(0x0403_4B50))
      fields(&out)
      out.append(bytes: Array(entry.name.utf8) + entry.bytes)
      directory.append(UInt32(0x0201_4B50))
      directory.append(UInt16(20))
      fields(&directory)
      for _ in 0..<5 { directory.append(UInt16(0)) }
      directory.append(entry.offset ?? start)
      directory.append(bytes: Array(entry.name.utf8))
    }
    let start = UInt32(out.count)
    out.append(bytes: directory.bytes)
    out.append(UInt32(0x0605_4B50))
    let counts = [UInt16](repeating: count ?? UInt16(entries.count), count: 2)
    for field in [0, 0] + counts { out.append(field) }
    out.append(UInt32(directory.count))
    out.append(start)
    out.append(UInt16(0))
    return out.bytes
  }

  private func archive(_ pickle: [UInt8], storage: Int = 16) -> [UInt8] {
    zip([
      Entry(name: "m/data.pkl", bytes: pickle),
      Entry(name: "m/data/0", bytes: [UInt8](repeating: 0, count: storage)),
    ])
  }

  /// `{"w": tensor}` with a shape, a stride and an offset, as bytes below 256.
  private func pickle(
    shape: UInt8 = 4, stride: UInt8 = 1, offset: UInt8 = 0,
    global: String = "ctorch\nFloatStorage\n",
    key: String = "0"
  ) -> [UInt8] {
    func text(_ s: String) -> [UInt8] { [0x8C, UInt8(s.utf8.count)] + Array(s.utf8) }
    let storage: [UInt8] =
      [0x28] + text("storage") + Array(global.utf8) + text(key) + text("cpu") + [
        0x4B, 4, 0x74, 0x51,
      ]
    let arguments: [UInt8] =
      [0x28] + storage + [0x4B, offset, 0x4B, shape, 0x85, 0x4B, stride, 0x85, 0x89, 0x4E, 0x74]
    return [0x80, 2, 0x7D] + text("w") + Array("ctorch._utils\n_rebuild_tensor_v2\n".utf8)
      + arguments
      + [0x52, 0x73, 0x2E]
  }

  private func expectRefused(
    _ bytes: [UInt8], mentioning word: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let path = try folder.write(Data(bytes), to: "bad.bin")
    #expect(sourceLocation: sourceLocation) {
      try PyTorchArchive(path: path)
    } throws: {
      guard let error = $0 as? VDSQError else { return false }
      let told = error.category == .badInput && error.message.contains(word)
      if !told { Issue.record("\(error)", sourceLocation: sourceLocation) }
      return told
    }
  }

  @Test func tensorsAreFound() throws {
    let path = try folder.write(Data(archive(pickle())), to: "good.bin")
    let tensor = try #require(try PyTorchArchive(path: path).tensors["w"])
    #expect(tensor.shape == [4] && tensor.type == .float32)
    #expect(try tensor.reshaped(columns: 4).read(rows: 0..<1) == [0, 0, 0, 0])
  }

  /// Nothing that a pickle asks for is imported or called.
  @Test func picklesThatCallAreRefused() throws {
    let attacks: [(String, [UInt8])] = [
      ("os.system", Array("cos\nsystem\n(X".utf8) + [2, 0, 0, 0] + Array("idtR.".utf8)),
      ("posix.system", Array("cposix\nsystem\n)R.".utf8)),
      (
        "builtins.eval",
        [0x80, 4, 0x8C, 8] + Array("builtins".utf8) + [0x8C, 4] + Array("eval".utf8)
          + [0x93, 0x29, 0x52, 0x2E]
      ),
      ("torch.load", Array("ctorch\nload\n)R.".utf8)),
      ("operation 105", Array("(ios\nsystem\n.".utf8)),  // INST
      (
        "operation 111",
        Array("(cos\nsystem\no.".utf8).replacing(Array("cos\nsystem\n".utf8), with: [0x4E])
      ),
      ("operation 129", [0x80, 2, 0x4E, 0x29, 0x81, 0x2E]),  // NEWOBJ
      ("operation 130", [0x80, 2, 0x82, 1, 0x2E]),  // EXT1
      ("operation 80", Array("Pid\n.".utf8)),  // PERSID
    ]
    for (word, bytes) in attacks { try expectRefused(archive(bytes), mentioning: word) }
  }

  @Test func tensorsThatLieAreRefused() throws {
    try expectRefused(archive(pickle(shape: 200)), mentioning: "outside of its storage")
    try expectRefused(archive(pickle(offset: 3)), mentioning: "outside of its storage")
    try expectRefused(archive(pickle(stride: 2)), mentioning: "not contiguous")
    try expectRefused(archive(pickle(key: "7")), mentioning: "storage of tensor w is missing")
    try expectRefused(archive(pickle(key: "../0")), mentioning: "missing")
    try expectRefused(archive([0x80, 2, 0x7D, 0x2E]), mentioning: "no tensors")
    try expectRefused(archive([0x2E]), mentioning: "empty stack")
    try expectRefused(archive([0x74, 0x2E]), mentioning: "no mark")
    try expectRefused(archive([0x68, 9, 0x2E]), mentioning: "never made")
    try expectRefused(archive(Array(pickle().dropLast(9))), mentioning: "pickle")
  }

  @Test func archivesThatLieAreRefused() throws {
    let good = Entry(name: "m/data.pkl", bytes: pickle())
    let data = Entry(name: "m/data/0", bytes: [UInt8](repeating: 0, count: 16))
    func changed(_ entry: Entry, _ change: (inout Entry) -> Void) -> Entry {
      var entry = entry
      change(&entry)
      return entry
    }
    try expectRefused(zip([data]), mentioning: "no data.pkl")
    try expectRefused(zip([good, data, data]), mentioning: "twice")
    try expectRefused(zip([good, changed(data) { $0.method = 8 }]), mentioning: "compressed")
    try expectRefused(zip([good, changed(data) { $0.size = 1 << 30 }]), mentioning: "outside")
    try expectRefused(zip([good, changed(data) { $0.offset = 0 }]), mentioning: "overlap")
    try expectRefused(zip([good, changed(data) { $0.offset = 1 << 30 }]), mentioning: "truncated")
    try expectRefused(zip([good, data], count: 9), mentioning: "directory")
    try expectRefused(Array(zip([good, data]).dropLast(30)), mentioning: "no end of a directory")
    try expectRefused(Array("PK".utf8), mentioning: "no end")
  }

  /// A file that is cut anywhere, or has any byte changed, is refused or harmless.
  @Test func damagedFilesAreRefused() throws {
    let bytes = [UInt8](try Fixtures.data("formats/gpt2.bin"))
    var random = Random(3)
    for length in stride(from: 0, to: bytes.count, by: 1999) {
      let path = try folder.write(Data(bytes[..<length]), to: "cut.bin")
      #expect(throws: VDSQError.self) { try PyTorchArchive(path: path) }
    }
    for round in 0..<400 {
      var damaged = bytes
      // The pickle is in front, the directory behind.
      let range = round % 2 == 0 ? 0..<6000 : bytes.count - 4000..<bytes.count
      for _ in 0..<3 {
        damaged[Int.random(in: range, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let path = try folder.write(Data(damaged), to: "damaged.bin")
      guard let archive = try? PyTorchArchive(path: path) else { continue }
      for tensor in archive.tensors.values where tensor.rows > 0 {
        _ = try? tensor.read(rows: 0..<1)
      }
    }
  }
}
