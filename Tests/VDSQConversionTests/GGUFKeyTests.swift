import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQConversion
import VDSQFormat

/// Every key of a GGUF file is followed, refused by name, or changes nothing.
@Suite struct GGUFKeyTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// What a conversion makes of a file's metadata.
  private struct Reading: Equatable {
    let config: JSON
    let tokenizer: JSON
    let pooling: JSON?
  }

  private func file(_ name: String) throws -> GGUFEditor {
    GGUFEditor(try Fixtures.data("formats/\(name).gguf"))
  }

  private func read(_ file: GGUFEditor) throws -> Reading {
    let checkpoint = try Checkpoint(path: try folder.write(file.data, to: "m.gguf"))
    _ = try ModelSource.read(checkpoint)
    return Reading(
      config: checkpoint.config, tokenizer: try checkpoint.tokenizer(),
      pooling: try checkpoint.optionalJSON("1_Pooling/config.json"))
  }

  private func read(
    _ name: String, _ key: String, _ value: GGUFEditor.Value?
  ) throws -> Reading {
    var file = try file(name)
    file[Self.key(key, name)] = value
    return try read(file)
  }

  private static func key(_ key: String, _ name: String) -> String {
    key.hasPrefix("*.") ? name + key.dropFirst() : key
  }

  private func expectRefused(
    _ name: String, _ key: String, _ value: GGUFEditor.Value?, mentioning word: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect("\(name) \(key)", sourceLocation: sourceLocation) {
      _ = try read(name, key, value)
    } throws: {
      guard let error = $0 as? VDSQError else { return false }
      let wanted = word ?? String(key.split(separator: ".").last!)
      return error.category == .badInput && error.message.contains(wanted)
    }
  }

  private static let names = [
    "llama", "qwen2", "gpt2", "bert", "phi3", "gemma", "gemma2", "gemma3",
    "gemma-embedding",
  ]

  @Test(arguments: names) func ignoredKeysChangeNothing(_ name: String) throws {
    let plain = try read(try file(name))
    var all = try file(name)
    for key in GGUFKey.all where key.use == .ignored {
      all[Self.key(key.name, name) + (key.name.hasSuffix(".") ? "x" : "")] = .uint32(1)
    }
    all["quantize.imatrix.file"] = .text("somebody's own")
    #expect(try read(all) == plain)
  }

  @Test(arguments: names) func neutralValuesAreTheOnlyOnes(_ name: String) throws {
    let plain = try read(try file(name))
    var all = try file(name)
    for key in GGUFKey.all {
      guard case .only(let numbers) = key.use,
        key.scope != .rotary || name != "gpt2" && name != "bert"
      else { continue }
      all[Self.key(key.name, name)] = .float(Float(numbers.last!))
      expectRefused(name, key.name, .uint32(8))
      expectRefused(name, key.name, .text("x"))
    }
    #expect(try read(all) == plain)
  }

  /// A value of every key that is read, in a file that has another, and what must become of it:
  /// refused with these words, or another reading if there are none.
  private static let values: [(String, String, GGUFEditor.Value?, refused: String?)] = [
    ("llama", "general.architecture", .text("mamba"), "architecture mamba"),
    ("llama", "general.type", .text("adapter"), "general.type adapter"),
    ("llama", "general.type", .text("mmproj"), "general.type mmproj"),
    ("llama", "adapter.type", .text("lora"), "adapter"),
    ("llama", "general.alignment", .uint32(7), "general.alignment"),
    ("llama", "split.no", .uint16(3), nil), ("llama", "split.count", .uint16(2), "split"),
    ("llama", "split.tensors.count", .int32(7), nil),
    ("llama", "*.context_length", .uint32(50), nil),
    ("llama", "*.embedding_length", .uint32(64), "rope.dimension_count"),
    ("llama", "*.block_count", .uint32(1), "tensor blk.1"),
    ("llama", "*.feed_forward_length", .uint32(64), "shape"),
    ("llama", "*.attention.head_count", .uint32(2), "rope.dimension_count"),
    ("llama", "*.attention.head_count_kv", .uint32(4), "shape"),
    ("bert", "*.attention.head_count_kv", .uint32(2), "head_count_kv"),
    ("gpt2", "*.attention.head_count_kv", .uint32(1), "head_count_kv"),
    ("llama", "*.attention.key_length", .uint32(16), "rope.dimension_count"),
    ("bert", "*.attention.key_length", .uint32(16), "key_length"),
    ("qwen2", "*.attention.value_length", .uint32(16), "value_length"),
    ("gpt2", "*.attention.value_length", .uint32(16), "value_length"),
    ("bert", "*.attention.layer_norm_epsilon", .float(1e-6), nil),
    ("llama", "*.attention.layer_norm_rms_epsilon", .float(1e-3), nil),
    ("llama", "*.attention.causal", .bool(false), "attention.causal"),
    ("qwen2", "*.attention.causal", .uint32(1), "attention.causal"),
    ("bert", "*.attention.causal", .bool(true), "attention.causal"),
    ("bert", "*.pooling_type", .uint32(0), "pooling_type"),
    ("bert", "*.pooling_type", nil, "pooling_type: it is missing"),
    ("bert", "*.pooling_type", .int32(-1), "pooling_type"),
    ("bert", "*.pooling_type", .uint32(2), nil),
    ("bert", "*.pooling_type", .uint32(4), "rerank"),
    ("llama", "*.pooling_type", .uint32(4), "rerank"),
    ("bert", "*.pooling_type", .uint32(9), "pooling_type"),
    ("bert", "*.pooling_type", .text("mean"), "pooling_type"),
    ("llama", "*.rope.freq_base", .float(500_000), nil),
    ("bert", "*.rope.freq_base", .float(500_000), "rope.freq_base"),
    ("llama", "*.rope.dimension_count", .uint32(4), "rope.dimension_count"),
    ("qwen2", "*.rope.dimension_count", .uint32(4), nil),
    ("qwen2", "*.rope.dimension_count", .uint32(16), "rope.dimension_count"),
    ("llama", "*.rope.scale_linear", .float(4), nil),
    ("llama", "*.rope.scaling.factor", .float(4), nil),
    ("llama", "*.rope.scaling.type", .text("ntk"), "rope.scaling.type"),
    ("llama", "*.rope.scaling.type", .text("longrope"), "rope_factors_short"),
    ("llama", "*.rope.scaling.attn_factor", .float(1.2), "attn_factor"),
    ("llama", "*.attention.sliding_window", .uint32(32), nil),
    ("qwen2", "*.attention.sliding_window", .uint32(32), "sliding_window"),
    ("phi3", "*.attention.sliding_window", .uint32(32), nil),
    ("gemma", "*.attention.sliding_window", .uint32(32), "sliding_window"),
    ("bert", "*.attention.sliding_window", .uint32(32), "sliding_window"),
    ("gemma2", "*.attention.sliding_window", .uint32(32), nil),
    ("gemma2", "*.attn_logit_softcapping", .float(5), nil),
    ("gemma2", "*.final_logit_softcapping", .float(5), nil),
    ("gemma2", "*.final_logit_softcapping", .float(0), "final_logit_softcapping"),
    ("gemma", "*.final_logit_softcapping", .float(30), "final_logit_softcapping"),
    ("gemma3", "*.final_logit_softcapping", .float(30), nil),
    ("gemma3", "*.attn_logit_softcapping", .float(30), "attn_logit_softcapping"),
    ("gemma-embedding", "*.final_logit_softcapping", .float(30), "final_logit_softcapping"),
    ("gemma3", "*.attention.sliding_window_pattern", .uint32(3), nil),
    ("gemma3", "*.attention.sliding_window_pattern", .int32s([1, 0]), "sliding_window_pattern"),
    ("gemma", "*.attention.sliding_window_pattern", .uint32(2), "sliding_window_pattern"),
    ("gemma3", "*.attention.sliding_window", nil, nil),
    ("gemma3", "*.block_count", .uint32(4_000_000_000), "block_count"),
    ("gemma-embedding", "*.attention.sliding_window", nil, "sliding_window"),
    ("gemma3", "*.rope.freq_base_swa", .float(77), nil),
    ("gemma", "*.rope.freq_base_swa", .float(77), "rope.freq_base_swa"),
    ("gemma-embedding", "*.dense_2_feat_out", .uint32(7), "linear.weight"),
    ("gemma-embedding", "*.dense_2_feat_in", .uint32(7), "linear.weight"),
    ("gemma-embedding", "*.dense_3_feat_out", .uint32(7), "linear.weight"),
    ("gemma-embedding", "*.dense_3_feat_in", .uint32(7), "3_Dense"),
    ("gemma3", "*.dense_3_feat_in", .uint32(7), "dense_3_feat_in"),
    ("phi3", "*.rope.dimension_count", .uint32(4), nil),
    ("phi3", "*.rope.scaling.attn_factor", .float(1.2), "attn_factor"),
    ("gemma", "*.attention.key_length", .uint32(16), "value_length"),
    ("llama", "general.architecture", .text("neo-bert"), "rotary positions and a gate"),
    ("llama", "tokenizer.ggml.model", .text("rwkv"), "tokenizer rwkv"),
    ("llama", "tokenizer.ggml.model", .text("t5"), nil),
    ("gpt2", "tokenizer.ggml.pre", .text("deepseek-llm"), nil),
    ("gpt2", "tokenizer.ggml.pre", .text("default"), nil),
    ("gpt2", "tokenizer.ggml.pre", .text("whitespace"), "whitespace"),
    ("gpt2", "tokenizer.ggml.pre", .text("starcoder"), nil),
    ("gpt2", "tokenizer.ggml.pre", .uint32(1), "tokenizer.ggml.pre"),
    ("qwen2", "tokenizer.ggml.pre", nil, "tokenizer.ggml.pre is missing"),
    ("llama", "tokenizer.ggml.tokens", nil, "tokenizer.ggml.tokens"),
    ("llama", "tokenizer.ggml.token_type", .int32s([1]), "token_type"),
    ("llama", "tokenizer.ggml.token_type", nil, nil),
    ("llama", "tokenizer.ggml.scores", nil, "scores"),
    ("gpt2", "tokenizer.ggml.merges", nil, "merges"),
    ("llama", "tokenizer.ggml.bos_token_id", .uint32(2), nil),
    ("llama", "tokenizer.ggml.bos_token_id", .uint32(99_999), "bos_token_id"),
    ("llama", "tokenizer.ggml.bos_token_id", .uint32(.max), "add_bos_token"),
    ("bert", "tokenizer.ggml.cls_token_id", .uint32(5), nil),
    ("bert", "tokenizer.ggml.seperator_token_id", .uint32(5), nil),
    ("bert", "tokenizer.ggml.separator_token_id", .text("x"), nil),
    ("llama", "tokenizer.ggml.eos_token_id", .uint32(99_999), "eos_token_id"),
    ("llama", "tokenizer.ggml.unknown_token_id", .uint32(5), nil),
    ("llama", "tokenizer.ggml.add_bos_token", .bool(false), nil),
    ("llama", "tokenizer.ggml.add_bos_token", .uint32(0), "add_bos_token"),
    ("llama", "tokenizer.ggml.add_eos_token", .bool(true), nil),
    ("gpt2", "tokenizer.ggml.add_eos_token", .bool(true), "add_eos_token"),
    ("gpt2", "tokenizer.ggml.add_sep_token", .bool(true), "add_sep_token"),
    ("bert", "tokenizer.ggml.add_sep_token", .bool(false), "add_sep_token"),
    ("bert", "tokenizer.ggml.add_bos_token", .bool(false), "add_bos_token"),
    ("llama", "tokenizer.ggml.add_space_prefix", .bool(false), nil),
    ("gpt2", "tokenizer.ggml.add_space_prefix", .bool(true), nil),
    ("bert", "tokenizer.ggml.add_space_prefix", .bool(true), "add_space_prefix"),
    ("bert", "tokenizer.ggml.normalizer.lowercase", .bool(false), nil),
    ("bert", "tokenizer.ggml.normalizer.strip_accents", .bool(false), nil),
    ("llama", "tokenizer.ggml.normalizer.lowercase", .bool(true), "normalizer.lowercase"),
    ("gpt2", "tokenizer.ggml.normalizer.lowercase", .bool(true), "normalizer.lowercase"),
    ("qwen2", "tokenizer.ggml.normalizer.strip_accents", .bool(true), "normalizer.strip_accents"),
    ("llama", "tokenizer.ggml.normalizer.lowercase", .uint32(1), "normalizer.lowercase"),
    ("llama", "tokenizer.ggml.remove_extra_whitespaces", .bool(true), "remove_extra_whitespaces"),
    ("llama", "tokenizer.ggml.precompiled_charsmap", .bytes([1, 2]), "precompiled_charsmap"),
    ("llama", "tokenizer.ggml.treat_whitespace_as_suffix", .bool(true), "whitespace_as_suffix"),
  ]

  @Test func keysThatAreReadMatter() throws {
    // Keys of scalings are tested with each other.
    let together = [
      "*.rope.scaling.original_context_length", "*.rope.scaling.yarn_attn_factor",
      "*.rope.scaling.yarn_beta_fast", "*.rope.scaling.yarn_beta_slow",
    ]
    for key in GGUFKey.all where key.use == .read && !together.contains(key.name) {
      #expect(Self.values.contains { $0.1 == key.name }, "no value of \(key.name) is tested")
    }
    for (name, key, value, refused) in Self.values {
      if let refused {
        expectRefused(name, key, value, mentioning: refused)
        continue
      }
      if ["split.no", "split.tensors.count", "tokenizer.ggml.separator_token_id"].contains(key) {
        // These matter beside others only.
        continue
      }
      let changed = try read(name, key, value), plain = try read(try file(name))
      #expect(changed != plain, "\(name) \(key)")
    }
  }

  /// Bytes that are no UTF-8 are not replaced: two tokens might become one.
  @Test(arguments: [("llama", "<0x41>", "tokens"), ("gpt2", "<|endoftext|>", "tokens")])
  func tokensAreUTF8(_ name: String, _ token: String, _ key: String) throws {
    var data = try Fixtures.data("formats/\(name).gguf")
    let range = try #require(data.range(of: Data(token.utf8)))
    data[range.lowerBound] = 0xFF
    let path = try folder.write(data, to: "m.gguf")
    #expect { try Checkpoint(path: path) } throws: {
      let message = ($0 as? VDSQError)?.message ?? ""
      return message.contains("tokenizer.ggml.\(key)") && message.contains("no UTF-8")
    }
    // Elsewhere they change nothing.
    var file = try self.file(name)
    file["general.description"] = .text("somebody's own")
    var other = file.data
    let place = try #require(other.range(of: Data("somebody".utf8)))
    other[place.lowerBound] = 0xFF
    _ = try ModelSource.read(try Checkpoint(path: try folder.write(other, to: "n.gguf")))
  }

  @Test(arguments: names) func unknownKeysAreRefused(_ name: String) {
    expectRefused(name, "*.attention.novelty", .uint32(1), mentioning: "attention.novelty")
    expectRefused(name, "tokenizer.ggml.novelty", .bool(true), mentioning: "novelty")
  }

  @Test func scalingsOfPositions() throws {
    func parameters(_ values: [String: GGUFEditor.Value]) throws -> [String: Double] {
      var file = try file("llama")
      for (key, value) in values { file["llama.rope.\(key)"] = value }
      var all: [String: Double] = [:]
      for member in try read(file).config["rope_parameters"]?.members ?? [] {
        all[member.key] = member.value.double ?? member.value.text.map { Double($0.utf8.count) }
      }
      return all
    }
    let linear = ["rope_theta": 10_000.0, "rope_type": 6, "factor": 4]
    #expect(try parameters(["scale_linear": .float(4)]) == linear)
    #expect(try parameters(["scaling.factor": .float(4)]) == linear)
    #expect(
      try parameters(["scaling.type": .text("linear"), "scaling.factor": .uint32(4)]) == linear)
    #expect(
      try parameters(["scaling.type": .text("none"), "scaling.factor": .float(4)])
        == ["rope_theta": 10_000])
    #expect(try parameters(["scaling.factor": .float(0)]) == ["rope_theta": 10_000])
    let yarn = try parameters([
      "scaling.type": .text("yarn"), "scaling.factor": .float(4),
      "scaling.original_context_length": .uint32(32), "scaling.yarn_beta_fast": .float(16),
      "scaling.yarn_beta_slow": .float(2), "scaling.attn_factor": .float(2),
      "scaling.yarn_attn_factor": .float(3), "scaling.yarn_ext_factor": .float(1),
    ])
    #expect(yarn["rope_type"] == 4 && yarn["factor"] == 4 && yarn["beta_fast"] == 16)
    #expect(yarn["beta_slow"] == 2 && yarn["original_max_position_embeddings"] == 32)
    // 6 (1 + 0.1 ln 4), as ggml scales the rotated elements.
    #expect(abs(yarn["attention_factor"]! - 6.831776617) < 1e-6)
  }

  @Test func factorsOfPositions() throws {
    func file(_ tensor: String, _ values: [String: GGUFEditor.Value]) throws -> GGUFEditor {
      var file = try self.file("llama")
      var data = Data()
      for x: Float in [1, 2, 4, 8] {
        withUnsafeBytes(of: x.bitPattern.littleEndian) { data.append(contentsOf: $0) }
      }
      file.tensors.append(.init(name: tensor, dimensions: [4], type: 0, data: data))
      for (key, value) in values { file["llama.rope.\(key)"] = value }
      return file
    }
    func factors(_ file: GGUFEditor) throws -> [Double] {
      (try read(file).config["rope_parameters"]?["short_factor"]?.elements ?? []).map {
        $0.double ?? 0
      }
    }
    #expect(try factors(try file("rope_freqs.weight", [:])) == [1, 2, 4, 8])
    #expect(
      try factors(try file("rope_freqs.weight", ["scaling.factor": .float(2)])) == [2, 4, 8, 16])
    let long: [String: GGUFEditor.Value] = [
      "scaling.type": .text("longrope"), "scaling.attn_factor": .float(1.5),
      "scaling.original_context_length": .uint32(32),
    ]
    let config = try read(try file("rope_factors_short.weight", long)).config["rope_parameters"]
    #expect(config?["attention_factor"]?.double == 1.5)
    #expect(config?["original_max_position_embeddings"]?.integer == 32)
    #expect(throws: VDSQError.self) {
      try read(try file("rope_freqs.weight", ["scaling.type": .text("yarn")]))
    }
  }

  @Test(arguments: [
    "blk.0.attn_sinks.weight", "blk.0.attn_q.scale", "blk.0.attn_norm.bias", "blk.9.attn_q.weight",
    "blk.0.ffn_gate_inp.weight", "blk.0.ffn_gate.0.weight", "cls.weight", "output.bias",
    "dense_2.weight",
  ])
  func tensorsThatAreNotUsedAreRefused(_ tensor: String) throws {
    for name in ["llama", "bert"] {
      var file = try file(name)
      file.tensors.append(.init(name: tensor, dimensions: [4], type: 0, data: Data(count: 16)))
      #expect {
        _ = try read(file)
      } throws: {
        ($0 as? VDSQError)?.message.contains("tensor \(tensor)") ?? false
      }
    }
    var file = try file("llama")
    file.tensors.append(
      .init(name: "blk.0.attn_rot_embd", dimensions: [4], type: 0, data: Data(count: 16)))
    _ = try read(file)
  }

  @Test func otherByteOrdersAreNamed() throws {
    var data = try Fixtures.data("formats/llama.gguf")
    data.replaceSubrange(4..<8, with: [0, 0, 0, 3])
    let path = try folder.write(data, to: "m.gguf")
    #expect {
      try GGUF(path: path)
    } throws: {
      ($0 as? VDSQError)?.message.contains("big-endian") ?? false
    }
  }

  // MARK: Parts

  /// Writes a model in parts, as gguf-split names them.
  private func split(into count: Int) throws -> [String] {
    let whole = try file("llama")
    var paths: [String] = []
    for index in 0..<count {
      var part = whole
      part.tensors = whole.tensors.enumerated().filter { $0.offset % count == index }
        .map(\.element)
      if index > 0 {
        for entry in whole.entries where entry.key != "general.architecture" {
          part[entry.key] = nil
        }
      }
      part["split.no"] = .uint16(UInt16(index))
      part["split.count"] = .uint16(UInt16(count))
      part["split.tensors.count"] = .int32(Int32(whole.tensors.count))
      paths.append(
        try folder.write(part.data, to: "m-0000\(index + 1)-of-0000\(count).gguf"))
    }
    return paths
  }

  @Test func partsAreOneModel() throws {
    let whole = try Checkpoint(path: Fixtures.path("formats/llama.gguf"))
    let paths = try split(into: 3)
    for path in paths {
      let parts = try Checkpoint(path: path)
      #expect(parts.config == whole.config)
      #expect(try parts.tokenizer() == whole.tokenizer())
      #expect(parts.files.count == 3 && parts.files.allSatisfy { $0.hasPrefix("m-0000") })
      #expect(parts.files.map { parts.location(of: $0) } == paths)
      #expect(Set(parts.tensors.keys) == Set(whole.tensors.keys))
      for (name, tensor) in whole.tensors {
        let rows = 0..<tensor.rows
        #expect(try parts.tensors[name]?.read(rows: rows) == tensor.read(rows: rows))
      }
    }
    var options = Converter.Options()
    options.bases = nil
    for (input, output) in [(paths[0], "parts"), (Fixtures.path("formats/llama.gguf"), "whole")] {
      _ = try Converter(folder: input, options: options).write(
        to: folder.path(output), replace: false, progress: Progress(total: 1) { _ in })
    }
    let difference = try ContainerDifference(
      try Container(path: folder.path("parts")), try Container(path: folder.path("whole")))
    #expect(difference.isEmpty)
  }

  @Test func missingPartsAreNamed() throws {
    func error(_ path: String) -> VDSQError? {
      do { _ = try Checkpoint(path: path) } catch { return error as? VDSQError }
      return nil
    }
    let paths = try split(into: 3)
    try FileManager.default.copyItem(atPath: paths[0], toPath: folder.path("renamed.gguf"))
    #expect(error(folder.path("renamed.gguf"))?.message.contains("part 1 of 3") ?? false)
    let third = try Data(contentsOf: URL(fileURLWithPath: paths[2]))
    try FileManager.default.removeItem(atPath: paths[2])
    #expect(error(paths[0])?.category == .missingInput)
    #expect(error(paths[0])?.message.contains("part 3 of 3") ?? false)
    try Fixtures.data("formats/qwen2.gguf").write(to: URL(fileURLWithPath: paths[2]))
    #expect(error(paths[0])?.message.contains("not part 3 of 3") ?? false)
    var short = GGUFEditor(third)
    short.tensors.removeLast()
    try short.data.write(to: URL(fileURLWithPath: paths[2]))
    #expect(error(paths[0])?.message.contains("20 tensors, not 21") ?? false)
  }
}
