import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQSemantics

import VDSQTraining

@Suite struct StateCacheTests {
  private let labels = [Label(name: "a"), Label(name: "b")]
  private let texts = ["hello world", "stop", "hello world", "a café, twelve 12!"]

  private func encoder(in folder: TemporaryFolder) throws -> TextEncoder {
    let path = folder.path("m.vdsq")
    if !FileManager.default.fileExists(atPath: path) {
      _ = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8).write(
        to: path, replace: false, progress: Progress(total: 1) { _ in })
    }
    return try TextEncoder(path: path, options: .init())
  }

  private func encoded(
    _ texts: [String], _ encoder: TextEncoder, _ cache: StateCache?, staysThere: Bool = false
  ) throws -> Examples {
    try Examples(
      texts.map { Examples.Example(text: $0, label: "b") }, labels: labels, encoder: encoder,
      template: nil, cache: cache, areStatesCached: staysThere, advance: { _ in })
  }

  private func length(_ path: String) throws -> Int {
    try Data(contentsOf: URL(filePath: path)).count
  }

  /// States from the file are those of the model, each text is in it once, and a new one joins the
  /// others.
  @Test func statesComeBack() throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder(in: folder)
    func cache() throws -> StateCache {
      try StateCache(folder: folder.path("cache"), encoder: encoder, settings: "int8")
    }
    let fresh = try encoded(texts, encoder, nil)
    #expect(fresh.targets == [1, 1, 1, 1])
    #expect(try encoded(texts, encoder, try cache()).features.values == fresh.features.values)
    let path = try cache().path
    let once = try length(path)
    #expect(once == 3 * (16 + 4 * encoder.dimensions + 4))
    #expect(try encoded(texts, encoder, try cache()).features.values == fresh.features.values)
    #expect(try length(path) == once)
    _ = try encoded(texts + ["new"], encoder, try cache())
    #expect(try length(path) == once / 3 * 4)
  }

  /// States that stay in the file are the same, whether they are new there or not. What another
  /// program cuts off is no number.
  @Test func statesStay() throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder(in: folder)
    func cache() throws -> StateCache {
      try StateCache(folder: folder.path("cache"), encoder: encoder, settings: "int8")
    }
    let fresh = try encoded(texts, encoder, nil)
    for _ in 0..<2 {
      let there = try encoded(texts, encoder, try cache(), staysThere: true)
      #expect(there.features.values == fresh.features.values)
      #expect(there.subset([2, 3]).features.values == fresh.subset([2, 3]).features.values)
    }
    let there = try encoded(texts, encoder, try cache(), staysThere: true)
    truncate(try cache().path, 40)
    #expect(there.features.values.last!.isNaN)
  }

  /// A record that was cut or changed is made again, never believed.
  @Test func damageIsMended() throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder(in: folder)
    func cache() throws -> StateCache {
      try StateCache(folder: folder.path("cache"), encoder: encoder, settings: "int8")
    }
    let fresh = try encoded(texts, encoder, try cache())
    let path = try cache().path
    let whole = try Data(contentsOf: URL(filePath: path))
    for length in [0, 5, whole.count / 3 + 7, whole.count - 1] {
      try whole.prefix(length).write(to: URL(filePath: path))
      #expect(try encoded(texts, encoder, try cache()).features.values == fresh.features.values)
      #expect(try encoded(texts, encoder, try cache()).features.values == fresh.features.values)
      #expect(try self.length(path) == whole.count)
    }
    for place in [20, whole.count - 2] {
      var changed = whole
      changed[place] ^= 0x40
      try changed.write(to: URL(filePath: path))
      #expect(try encoded(texts, encoder, try cache()).features.values == fresh.features.values)
    }
    #expect { try StateCache(folder: "/proc/none", encoder: encoder, settings: "x") } throws: {
      ($0 as? VDSQError)?.category == .usage
    }
  }
}
