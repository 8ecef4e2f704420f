import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat

import VDSQInference

@Suite struct MemoryPolicyTests {
  private let texts = [
    "hello world", "", "a café, twelve 12!", "stop", "hello world, stop the a b c d",
  ]

  private func convert(_ name: String, compresses: Bool, in folder: TemporaryFolder) throws
    -> String
  {
    var options = Converter.Options(weights: compresses ? .fp32 : .int8)
    options.compress = compresses
    let path = folder.path("\(name.replacingOccurrences(of: "/", with: "-"))-\(compresses).vdsq")
    _ = try Converter(folder: Fixtures.path(name), options: options).write(
      to: path, replace: false, progress: Progress(total: 1) { _ in })
    return path
  }

  private func open(
    _ path: String, _ policy: MemoryPolicy, threads: Int
  ) throws -> TextEncoder {
    var options = TextEncoder.Options()
    (options.policy, options.threads, options.tokenCapacity) = (policy, threads, 64)
    return try TextEncoder(
      try Container(
        path: path, kind: .model, decoding: policy == .stream ? .allButLayers : .everything),
      options: options)
  }

  private func states(_ encoder: TextEncoder, rounds: Int) throws -> [[Float]] {
    var states: [[Float]] = []
    for _ in 0..<rounds {
      for text in texts {
        if !encoder.hasRoom { try take() }
        Array(text.utf8).withUnsafeBytes { _ = encoder.add($0) }
      }
      try take()
    }
    func take() throws {
      try encoder.encode { _, state in
        states.append(Array(UnsafeBufferPointer(start: state, count: encoder.dimensions)))
      }
    }
    return states
  }

  /// Vectors are bit-identical under each policy, pass after pass, with any number of threads, from
  /// raw and compressed sections.
  @Test(arguments: ["bert-mean", "language-models/llama", "language-models/gpt2"], [false, true])
  func policiesAnswerAlike(_ name: String, _ compresses: Bool) throws {
    let folder = try TemporaryFolder()
    let path = try convert(name, compresses: compresses, in: folder)
    for threads in [1, 3] {
      let wanted = try states(open(path, .resident, threads: threads), rounds: 3)
      for policy in [MemoryPolicy.release, .stream] {
        let found = try states(open(path, policy, threads: threads), rounds: 3)
        #expect(found == wanted, "\(policy.name), \(threads) threads")
      }
    }
  }

  /// Layers are released behind a pass, and the rest of the file on request.
  @Test func releasedPagesAreGone() throws {
    let folder = try TemporaryFolder()
    let path = try convert("bert-mean", compresses: false, in: folder)
    func present(_ policy: MemoryPolicy) throws -> Int {
      let encoder = try open(path, policy, threads: 1)
      _ = try encoder.vector(of: "hello world")
      let container = encoder.container
      return container.sections.indices.filter { container.sections[$0].isLayer }
        .reduce(0) { $0 + (container.presentBytes(ofSection: $1) ?? 0) }
    }
    // Sections share pages, so of layers as small as these some is left.
    #expect(try present(.release) < present(.resident))
    #expect(try present(.stream) <= present(.resident))
    let encoder = try open(path, .resident, threads: 1)
    let before = try encoder.vector(of: "hello world")
    encoder.container.release()
    #expect(
      encoder.container.sections.indices.allSatisfy {
        encoder.container.presentBytes(ofSection: $0) == 0
      })
    #expect(try encoder.vector(of: "hello world") == before)
  }

  /// A file that is cut while it is streamed is reported, and so is a damaged compressed layer.
  @Test(arguments: [false, true])
  func filesThatChange(_ compresses: Bool) throws {
    let folder = try TemporaryFolder()
    let path = try convert("bert-mean", compresses: compresses, in: folder)
    let encoder = try open(path, .stream, threads: 1)
    _ = try encoder.vector(of: "hello world")
    let container = encoder.container
    let last = container.sections.lastIndex { $0.isLayer }!
    let section = container.sections[last]
    let file = try FileHandle(forUpdating: URL(filePath: path))
    if compresses {
      try file.seek(toOffset: UInt64(section.offset))
      try file.write(contentsOf: Data(repeating: 0xFF, count: section.length))
    } else {
      try file.truncate(atOffset: UInt64(section.offset))
    }
    try file.close()
    #expect {
      for _ in 0..<4 { _ = try encoder.vector(of: "hello world") }
    } throws: {
      ($0 as? VDSQError)?.category == .badInput
    }
  }

  @Test func names() {
    for policy in MemoryPolicy.all { #expect(MemoryPolicy(name: policy.name) == policy) }
    #expect(MemoryPolicy(name: "none") == nil)
  }
}
