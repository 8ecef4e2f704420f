import TestSupport
import Testing
import VDSQConversion
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQKernels

/// Files of architectures that the format describes and no forward pass computes.
@Suite struct ArchitectureSupportTests {
  /// A file with an architecture's metadata and a tokenizer, and without weights.
  private func file(_ architecture: Architecture, in folder: TemporaryFolder) throws -> Container {
    let source = folder.path("source.vdsq"), path = folder.path("m.vdsq")
    _ = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8).write(
      to: source, replace: true, progress: Progress(total: 1) { _ in })
    let model = try Container(path: source, kind: .model)
    let tokenizer = try withExtendedLifetime(model) { try Array(model.bytes(of: .tokenizer)) }
    let writer = try ContainerWriter(path: path, kind: .model, sectionCount: 3, replace: true)
    try writer.add(.metadata, "metadata", architecture.metadata(modelType: "m").encoded())
    try writer.add(.tokenizer, "tokenizer", tokenizer)
    _ = try writer.finish()
    return try Container(path: path, kind: .model)
  }

  private static let bert = Architecture(
    encoder: 48, layers: 2, heads: 4, intermediateSize: 88, vocabularySize: 5000, positions: 64,
    tokenTypes: 2, normEpsilon: 1e-12, activation: .gelu)

  @Test func layersThatNoPassComputesAreRefused() throws {
    var modern = Self.bert
    modern.positions = .rotary(dimensions: 12, scale: 1)
    modern.normPlacement = .pre
    modern.isGated = true
    var parallel = modern
    parallel.hasParallelResidual = true
    var even = modern
    even.slidingWindow = SlidingWindow(size: 8, slidingLayers: [true, false])
    // With layers that are computed, the first thing that is missing is a tensor.
    for (architecture, word) in [
      (parallel, "parallel_residual"), (even, "sliding_window"), (modern, "embeddings.word"),
      (Self.bert, "embeddings.word"),
    ] {
      let folder = try TemporaryFolder()
      let container = try file(architecture, in: folder)
      #expect { try TextEncoder(container, options: .init()) } throws: {
        guard let error = $0 as? VDSQError else { return false }
        return error.category == .badInput && error.message.contains(word)
      }
    }
  }

  @Test func anEncoderIsNoDecoder() throws {
    let folder = try TemporaryFolder()
    let container = try file(Self.bert, in: folder)
    #expect {
      try Decoder(
        container, kernels: try KernelTable.select(), threads: ThreadPool(count: 1),
        precision: .integer, tokenCapacity: 64)
    } throws: {
      ($0 as? VDSQError)?.message.contains("no causal decoder") == true
    }
  }
}
