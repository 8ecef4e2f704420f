import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQConversion
import VDSQFiles
import VDSQFormat
import VDSQInference

/// Trained heads, and files that are something else than their names say.
@Suite struct CheckpointKindsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func message(_ path: String) throws -> String? {
    let result = Result { () throws(VDSQError) in try Converter(folder: path, weights: .int8) }
    if case .failure(let error) = result { return error.message }
    return nil
  }

  /// A copy of the masked BERT with tensors renamed, so that they are a head.
  private func classifier(_ names: [(String, String)], sentence: Bool = false) throws -> String {
    let path = try folder.copy(ofFixture: "bert-mean", as: UUID().uuidString)
    let url = URL(fileURLWithPath: path)
    let file = url.appendingPathComponent("model.safetensors")
    let data = try Data(contentsOf: file)
    let length = Int(data[0]) | Int(data[1]) << 8 | Int(data[2]) << 16
    var header = String(decoding: data[8..<8 + length], as: UTF8.self)
    for (old, new) in names {
      #expect(header.contains(old))
      header = header.replacingOccurrences(of: old, with: new)
    }
    let bytes = Array(header.utf8)
    var out = Data((0..<8).map { UInt8(bytes.count >> ($0 * 8) & 255) })
    out += bytes + data[(8 + length)...]
    try out.write(to: file)
    let config = url.appendingPathComponent("config.json")
    var content = try JSONSerialization.jsonObject(with: Data(contentsOf: config)) as! [String: Any]
    content["architectures"] = ["BertForSequenceClassification"]
    content["id2label"] = ["0": "neg", "1": "pos"]
    try JSONSerialization.data(withJSONObject: content).write(to: config)
    if !sentence {
      try FileManager.default.removeItem(at: url.appendingPathComponent("modules.json"))
    }
    return path
  }

  @Test(arguments: [
    ("classifier", "classification head"), ("score", "classification head"),
    ("qa_outputs", "question-answering head"), ("pre_classifier", "classification head"),
  ])
  func trainedHeadsAreNotLost(_ name: String, _ kind: String) throws {
    let path = try classifier([("pooler.dense", name)])
    let told = try #require(try message(path))
    for word in [kind, "\(name).weight", "BertForSequenceClassification", "neg, pos"] {
      #expect(told.contains(word), "\(told)")
    }
    var options = Converter.Options(weights: .int8)
    options.dropsHead = true
    let converter = try Converter(folder: path, options: options)
    #expect(converter.warnings.contains { $0.contains(kind) && $0.contains("\(name).weight") })
    let summary = try converter.write(
      to: folder.path("h.vdsq"), replace: true, progress: Progress(total: 1) { _ in })
    #expect(summary.leftOut.map(\.kind.rawValue) == [kind, kind])
  }

  /// A copy of a fixture with tensors added, that declares no sentence encoder.
  private func model(
    _ fixture: String, adding tensors: [String: [Int]], architecture: String? = nil,
    config: [String: Any] = [:]
  ) throws -> String {
    let path = try folder.copy(ofFixture: fixture, as: UUID().uuidString)
    var editor = try SafetensorsEditor("\(path)/model.safetensors")
    for (name, shape) in tensors { editor.add(name, shape) }
    try editor.write()
    let url = URL(fileURLWithPath: "\(path)/config.json")
    var content = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as! [String: Any]
    if let architecture { content["architectures"] = [architecture] }
    try JSONSerialization.data(withJSONObject: content.merging(config) { $1 }).write(to: url)
    try? FileManager.default.removeItem(atPath: "\(path)/modules.json")
    return path
  }

  private func convert(_ path: String) throws -> TextEncoder {
    var options = Converter.Options(weights: .fp32)
    options.dropsHead = true
    options.bases = nil
    _ = try Converter(folder: path, options: options).write(
      to: folder.path("h.vdsq"), replace: true, progress: Progress(total: 1) { _ in })
    return try TextEncoder(path: folder.path("h.vdsq"), options: .init())
  }

  private func error(_ path: String) -> VDSQError? {
    let result = Result { () throws(VDSQError) in try Converter(folder: path, weights: .int8) }
    if case .failure(let error) = result { return error }
    return nil
  }

  /// Whatever a model was finetuned with is not lost in silence.
  @Test(arguments: [
    ("bert-mean", "regressor.weight", "regression head"),
    ("bert-mean", "crf.transitions", "tagging head"),
    ("bert-mean", "encoder.layer.0.attention.self.query.lora_A.weight", "adapter"),
    ("bert-mean", "base.lora_embedding_A", "adapter"),
    ("bert-mean", "encoder.layer.0.attention.self.key.ia3_l.default", "adapter"),
    ("bert-mean", "encoder.layer.0.adapter.down.weight", "adapter"),
    ("bert-mean", "encoder.layer.99.output.dense.weight", "layer that the configuration"),
    ("bert-mean", "linear.weight", "head of an unknown kind"),
    ("bert-mean", "head.weight", "head of an unknown kind"),
    ("bert-mean", "v_head.summary.weight", "value head"),
    ("language-models/gpt2", "multiple_choice_head.summary.weight", "multiple-choice head"),
    ("language-models/llama", "model.layers.99.mlp.up_proj.weight", "layer that"),
    ("language-models/llama", "v_head.weight", "value head"),
    ("language-models/gpt-neox", "extra.weight", "head of an unknown kind"),
  ])
  func finetunedPartsAreNotLost(_ fixture: String, _ tensor: String, _ kind: String) throws {
    let path = try model(fixture, adding: [tensor: [4, 4]], architecture: "SomeModel")
    let told = try #require(error(path))
    for word in [kind, tensor, "SomeModel"] { #expect(told.message.contains(word), "\(told)") }
    #expect(told.setting == .trainedHead)
    var options = Converter.Options(weights: .int8)
    options.dropsHead = true
    let converter = try Converter(folder: path, options: options)
    #expect(converter.warnings.contains { $0.contains(kind) && $0.contains(tensor) })
    // A language model stays one.
    guard fixture != "bert-mean" else { return }
    let plain = try convert(try folder.copy(ofFixture: fixture, as: UUID().uuidString)).kind
    #expect(try convert(path).kind == plain)
  }

  /// The head of a decoder that classifies texts reads the state of the last token. Without its
  /// class it is refused.
  @Test(arguments: [true, false], ["Qwen2ForSequenceClassification", nil])
  func headsOfDecoders(_ isTied: Bool, _ architecture: String?) throws {
    let path = try model(
      "language-models/qwen2", adding: ["score.weight": [2, 32]], architecture: architecture,
      config: ["tie_word_embeddings": isTied])
    if architecture == nil {
      let told = try #require(error(path))
      #expect(told.message.contains("classification head (score.weight"), "\(told)")
      #expect(told.setting == .trainedHead)
    } else {
      #expect(error(path) == nil)
    }
    let encoder = try convert(path)
    #expect(encoder.kind == .sentences)
    let entry = try #require(
      FolderSettingsTests.Entry.all.first { $0.name == "decoder-legacy-lasttoken" })
    #expect(entry.json["base"] as? String == "language-models/qwen2")
    for (text, golden) in zip(entry.texts, entry.json["vectors"] as! [[Double]]) {
      let ours = try encoder.vector(of: text)
      let norm = ours.reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect(relativeError(ours.map { $0 / norm }, golden.map(Float.init)) < 1e-3, "\(text)")
    }
  }

  /// Heads that read the state of each token leave nothing of which a vector could be made.
  @Test(arguments: [
    ("llama", ["score.weight", "score.bias"], nil),
    ("llama", ["qa_outputs.weight"], "LlamaForQuestionAnswering"),
  ])
  func headsOfTokens(_ fixture: String, _ names: [String], _ architecture: String?) throws {
    let path = try model(
      "language-models/\(fixture)",
      adding: Dictionary(uniqueKeysWithValues: names.map { ($0, [4, 4]) }),
      architecture: architecture)
    let told = try #require(error(path))
    #expect(told.message.contains(names[0]) && told.message.contains("each token"), "\(told)")
    #expect(told.setting == nil)
    #expect(throws: VDSQError.self) { try convert(path) }
  }

  /// A decoder without any head is named for what it is.
  @Test(arguments: [
    ("llama", "lm_head.weight", "model."), ("gpt-neox", "embed_out.weight", "gpt_neox."),
  ])
  func decodersWithoutHeads(_ fixture: String, _ tensor: String, _ prefix: String) throws {
    let path = try model(
      "language-models/\(fixture)", adding: [:], config: ["tie_word_embeddings": false])
    var editor = try SafetensorsEditor("\(path)/model.safetensors")
    editor.rename(tensor, prefix + tensor)
    try editor.write()
    let told = try #require(error(path)).message
    #expect(told.contains(tensor) && told.contains("modules.json"), "\(told)")
  }

  /// Cross-encoders answer with scores, whatever tensors the folder has.
  @Test(arguments: [
    ("config_sentence_transformers.json", #"{"model_type": "CrossEncoder"}"#),
    ("config_sentence_transformers.json", #"{"model_type": "SparseEncoder"}"#),
  ])
  func otherKindsOfSentenceTransformers(_ file: String, _ content: String) throws {
    for keepsModules in [true, false] {
      let path = try folder.copy(ofFixture: "bert-mean", as: UUID().uuidString)
      try content.write(toFile: "\(path)/\(file)", atomically: true, encoding: .utf8)
      if !keepsModules { try FileManager.default.removeItem(atPath: "\(path)/modules.json") }
      let told = try #require(error(path)).message
      let isPooled = keepsModules && content.contains("Cross")
      #expect(
        isPooled
          ? told.contains("Pooling of a cross-encoder is not supported")
          : told.contains(file) && told.contains("Encoder is not supported"), "\(told)")
    }
  }

  /// Folders of cross-encoders as sentence-transformers writes them, and functions.
  @Test(arguments: [
    ("config.json", "activation_fn", "torch.nn.modules.linear.Identity", "identity"),
    (
      "config_sentence_transformers.json", "activation_fn", "torch.nn.modules.linear.Identity",
      "identity"
    ),
    (
      "config_sentence_transformers.json", "activation_fn",
      "torch.nn.modules.activation.Sigmoid", "sigmoid"
    ),
    ("legacy", "", "torch.nn.modules.linear.Identity", "identity"), ("none", "", "", "sigmoid"),
  ])
  func crossEncoders(
    _ file: String, _ key: String, _ function: String, _ expected: String
  ) throws {
    let path = try HeadFixture.named("ranking").write(in: folder)
    func write(_ content: [String: Any], _ name: String, merge: Bool = false) throws {
      let url = URL(fileURLWithPath: "\(path)/\(name)")
      var all = content
      if merge {
        let old =
          try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as! [String: Any]
        all = old.merging(content) { $1 }
      }
      try JSONSerialization.data(withJSONObject: all).write(to: url)
    }
    switch file {
    case "config.json":
      try write(["sentence_transformers": [key: function]], file, merge: true)
    case "legacy":
      try write(["sbert_ce_default_activation_function": function], "config.json", merge: true)
    case "none": break
    default:
      try write([key: function, "model_type": "CrossEncoder", "prompts": [String: String]()], file)
      let form = ["text": ["method": "forward", "method_output_name": "logits"]]
      try write(
        [
          "transformer_task": "sequence-classification", "module_output_name": "scores",
          "modality_config": form,
        ], "sentence_bert_config.json")
      let module: [String: Any] = [
        "idx": 0, "name": "0", "path": "",
        "type": "sentence_transformers.base.modules.transformer.Transformer",
      ]
      try JSONSerialization.data(withJSONObject: [module]).write(
        to: URL(fileURLWithPath: "\(path)/modules.json"))
    }
    let source = try ModelSource.read(try Checkpoint(path: path))
    #expect(source.metadata.find("ranking_function") == expected)
  }

  /// Sizes that a configuration leaves to its class.
  @Test func sizesOfTheClass() throws {
    let path = try model("language-models/qwen3", adding: [:])
    let url = URL(fileURLWithPath: "\(path)/config.json")
    var content = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as! [String: Any]
    content["head_dim"] = nil
    let heads = content["num_attention_heads"] as! Int
    try JSONSerialization.data(withJSONObject: content).write(to: url)
    #expect(try #require(error(path)).message.contains("[\(128 * heads), "))
  }

  /// The provenance covers every file of settings: a change of any makes another source.
  @Test(arguments: [
    "config.json", "tokenizer.json", "tokenizer_config.json", "added_tokens.json",
    "special_tokens_map.json", "modules.json", "1_Pooling/config.json", "2_Normalize/config.json",
    "sentence_bert_config.json", "sentence_roberta_config.json",
    "config_sentence_transformers.json",
  ])
  func provenanceCoversSettings(_ name: String) throws {
    let path = try folder.copy(ofFixture: "bert-mean", as: "m")
    var options = Converter.Options(weights: .int8)
    options.bases = nil
    _ = try Converter(folder: path, options: options).write(
      to: folder.path("p.vdsq"), replace: true, progress: Progress(total: 1) { _ in })
    let file = try Container(path: folder.path("p.vdsq"), kind: .model)
    #expect(try Provenance.matches(file, try Checkpoint(path: path)))
    let url = URL(fileURLWithPath: "\(path)/\(name)")
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    let old = (try? Data(contentsOf: url)) ?? Data("{}".utf8)
    try (old + Data("\n".utf8)).write(to: url)
    #expect(try !Provenance.matches(file, try Checkpoint(path: path)), "\(name)")
  }

  /// Files above the transformer's folder are covered too, and named by where they are.
  @Test func provenanceOfOldLayouts() throws {
    let entry = try #require(FolderSettingsTests.Entry.all.first { $0.name == "old-layout" })
    let checkpoint = try Checkpoint(path: try entry.write(in: folder))
    for name in ["../modules.json", "../1_Pooling/config.json", "config.json"] {
      #expect(checkpoint.files.contains(name), "\(checkpoint.files)")
      #expect(FileManager.default.fileExists(atPath: checkpoint.location(of: name)))
    }
    #expect(!checkpoint.files.contains("../0_Transformer/config.json"))
  }

  /// A folder that declares a sentence encoder says what its vectors are for.
  @Test func headsOfSentenceEncodersAreTold() throws {
    let converter = try Converter(
      folder: try classifier([("pooler.dense", "classifier")], sentence: true), weights: .int8)
    #expect(converter.warnings.contains { $0.contains("classification head") })
  }

  /// Tensors of a file with other names are not taken for unused ones.
  @Test(arguments: [
    "formats/bert.gguf", "formats/llama.gguf", "formats/qwen2.gguf", "formats/gpt2.gguf",
  ])
  func usedTensorsAreNotListed(_ file: String) throws {
    var options = Converter.Options(weights: .int8)
    options.bases = nil
    let converter = try Converter(folder: Fixtures.path(file), options: options)
    let summary = try converter.write(
      to: folder.path("g.vdsq"), replace: true, progress: Progress(total: 1) { _ in })
    #expect(summary.unused.isEmpty, "\(summary.unused)")
  }

  private static let pointer = """
    version https://git-lfs.github.com/spec/v1
    oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
    size 90868376

    """

  @Test(arguments: [
    "config.json", "tokenizer.json", "model.safetensors", "modules.json", "1_Pooling/config.json",
    "tokenizer_config.json",
  ])
  func pointersAreNamed(_ file: String) throws {
    let path = try folder.copy(ofFixture: "bert-mean", as: "m")
    try Self.pointer.write(toFile: "\(path)/\(file)", atomically: true, encoding: .utf8)
    let told = try #require(try message(path))
    #expect(told.contains(file) && told.contains("Git LFS pointer"), "\(told)")
  }

  @Test func singleFilesAreNamed() throws {
    for name in ["m.gguf", "m.bin", "m.safetensors", "m.vdsq"] {
      let path = try folder.write(Data(Self.pointer.utf8), to: name)
      #expect(try message(path)?.contains("Git LFS pointer") == true)
      #expect { try Container(path: path) } throws: {
        ($0 as? VDSQError)?.message.contains("Git LFS pointer") ?? false
      }
    }
    // The first bytes of torch.save before PyTorch 1.6.
    let old = Data([
      0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
    ])
    let path = try folder.copy(ofFixture: "bert-mean", as: "old")
    try FileManager.default.removeItem(atPath: "\(path)/model.safetensors")
    try old.write(to: URL(fileURLWithPath: "\(path)/pytorch_model.bin"))
    for given in [path, "\(path)/pytorch_model.bin", try folder.write(old, to: "alone.bin")] {
      #expect(try message(given)?.contains("before PyTorch 1.6") == true)
    }
  }

  @Test func foldersAndForeignFilesWhereAModelIsWanted() throws {
    for (path, word) in [
      (Fixtures.path("bert-mean"), "vdsq convert"), (Fixtures.path("formats/bert.gguf"), "GGUF"),
      (Fixtures.path("bert-mean/model.safetensors"), "safetensors"),
      (Fixtures.path("formats/gpt2.bin"), "zip"),
    ] {
      #expect { try Container(path: path) } throws: {
        ($0 as? VDSQError)?.message.contains(word) ?? false
      }
    }
  }

  /// A model in the cache of Hugging Face's hub: links of a snapshot to blobs.
  @Test func foldersOfTheHub() throws {
    let manager = FileManager.default
    let root = folder.path("models--o--n")
    let blobs = "\(root)/blobs", snapshot = "\(root)/snapshots/abc"
    for path in [blobs, "\(snapshot)/1_Pooling", "\(root)/refs"] {
      try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    for file in ["config.json", "tokenizer.json", "model.safetensors", "modules.json"] {
      try manager.copyItem(
        atPath: Fixtures.path("bert-mean/\(file)"), toPath: "\(blobs)/\(file).blob")
      try manager.createSymbolicLink(
        atPath: "\(snapshot)/\(file)", withDestinationPath: "../../blobs/\(file).blob")
    }
    try manager.copyItem(
      atPath: Fixtures.path("bert-mean/1_Pooling/config.json"),
      toPath: "\(snapshot)/1_Pooling/config.json")
    try "abc".write(toFile: "\(root)/refs/main", atomically: true, encoding: .utf8)
    for path in [root, snapshot, "\(snapshot)/model.safetensors"] {
      #expect(try message(path) == nil)
    }
    try manager.createDirectory(atPath: "\(root)/snapshots/def", withIntermediateDirectories: true)
    #expect(try message(root) == nil)
    try manager.removeItem(atPath: "\(root)/refs/main")
    #expect(try message(root)?.contains("2 folders in snapshots/") == true)
    #expect(try message(folder.path(""))?.contains("models--o--n") == true)
    try manager.removeItem(atPath: "\(blobs)/model.safetensors.blob")
    let told = try #require(try message(snapshot))
    #expect(told.contains("../../blobs/model.safetensors.blob, which does not exist"), "\(told)")
  }

  @Test func adaptersAndEmptyFolders() throws {
    let path = try folder.copy(ofFixture: "bert-mean", as: "m")
    try "{}".write(toFile: "\(path)/adapter_config.json", atomically: true, encoding: .utf8)
    #expect(try message(path)?.contains("adapter of PEFT") == true)
    try FileManager.default.removeItem(atPath: "\(path)/config.json")
    try FileManager.default.removeItem(atPath: "\(path)/modules.json")
    #expect(try message(path)?.contains("adapter of PEFT without its model") == true)
    try FileManager.default.removeItem(atPath: "\(path)/adapter_config.json")
    try Data().write(to: URL(fileURLWithPath: "\(path)/q4.gguf"))
    #expect(try message(path)?.contains("q4.gguf") == true)
  }

  /// Quantized weights in a form that is not read are named by their method.
  @Test(arguments: [
    (#"{"quant_method": "gptq", "bits": 4}"#, "gptq"), (#"{"quant_method": "awq"}"#, "awq"),
    (#"{"quant_method": "fp8"}"#, "fp8"),
    (#"{"quant_method": "bitsandbytes", "load_in_4bit": true}"#, "bitsandbytes of four bits"),
    (#"{"quant_method": "compressed-tensors", "format": "pack-quantized"}"#, "pack-quantized"),
    (
      #"{"quant_method": "compressed-tensors", "format": "int-quantized", "config_groups": {"g": {"weights": {"num_bits": 4, "type": "int"}}}}"#,
      "4 bits"
    ),
  ])
  func quantizationIsNamed(_ settings: String, _ word: String) throws {
    let path = try folder.copy(ofFixture: "bert-mean", as: "m")
    let url = URL(fileURLWithPath: "\(path)/config.json")
    var text = try String(contentsOf: url, encoding: .utf8)
    text.insert(
      contentsOf: "\"quantization_config\": \(settings),", at: text.index(after: text.startIndex))
    try text.write(to: url, atomically: true, encoding: .utf8)
    let told = try #require(try message(path))
    #expect(told.contains("quantization_config") && told.contains(word), "\(told)")
  }
}
