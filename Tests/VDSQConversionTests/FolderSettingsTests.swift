import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference

/// Settings of model folders as tools write them: vectors, ids and lengths are those of
/// sentence-transformers and transformers (Tools/reference/make_folders.py).
@Suite struct FolderSettingsTests {
  /// A change of a fixture, and what the reference makes of it.
  struct Entry: CustomTestStringConvertible, @unchecked Sendable {
    let name: String
    let json: [String: Any]
    var testDescription: String { name }

    var texts: [String] { json["texts"] as! [String] }

    static let all: [Entry] = {
      let data = try! Fixtures.data("folders.json")
      let list = try! JSONSerialization.jsonObject(with: data) as! [[String: Any]]
      return list.map { Entry(name: $0["name"] as! String, json: $0) }
    }()

    /// Makes the folder.
    func write(in folder: TemporaryFolder) throws -> String {
      let path = try folder.copy(ofFixture: json["base"] as! String, as: "m")
      let url = URL(fileURLWithPath: path)
      let manager = FileManager.default
      if let part = json["move"] as? String {
        let inner = url.appendingPathComponent(part)
        try manager.createDirectory(at: inner, withIntermediateDirectories: true)
        for file in [
          "config.json", "tokenizer.json", "model.safetensors", "sentence_bert_config.json",
        ] {
          try manager.moveItem(
            at: url.appendingPathComponent(file), to: inner.appendingPathComponent(file))
        }
      }
      for (file, value) in json["files"] as? [String: Any] ?? [:] {
        let target = url.appendingPathComponent(file)
        if value is NSNull {
          try manager.removeItem(at: target)
          continue
        }
        try manager.createDirectory(
          at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try JSONSerialization.data(withJSONObject: value).write(to: target)
      }
      let tokenizer = url.appendingPathComponent("tokenizer.json")
      if json["shrink"] as? Bool == true {
        try Self.edit(tokenizer) { content in
          var model = content["model"] as! [String: Any]
          var vocabulary = model["vocab"] as! [String: Int]
          vocabulary.removeValue(forKey: vocabulary.max { $0.value < $1.value }!.key)
          model["vocab"] = vocabulary
          content["model"] = model
        }
      }
      for (file, keys) in json["keys"] as? [String: [String: Any]] ?? [:] {
        try Self.edit(url.appendingPathComponent(file)) { $0.merge(keys) { $1 } }
      }
      for (file, keys) in json["drop"] as? [String: [String]] ?? [:] {
        try Self.edit(url.appendingPathComponent(file)) { content in
          for key in keys { content[key] = nil }
        }
      }
      if let tensors = json["tensors"] as? [String: [Int]] {
        var editor = try SafetensorsEditor("\(path)/model.safetensors")
        for (name, shape) in tensors { editor.add(name, shape) }
        try editor.write()
      }
      return path
    }

    private static func edit(_ file: URL, _ change: (inout [String: Any]) -> Void) throws {
      var content =
        try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as! [String: Any]
      change(&content)
      try JSONSerialization.data(withJSONObject: content).write(to: file)
    }
  }

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func encoder(_ entry: Entry, threads: Int = 1) throws -> TextEncoder {
    var options = Converter.Options(weights: .fp32)
    options.bases = nil
    let converter = try Converter(folder: try entry.write(in: folder), options: options)
    let path = folder.path("m.vdsq")
    _ = try converter.write(
      to: path, replace: true, progress: Progress(total: converter.totalBytes) { _ in })
    var run = TextEncoder.Options()
    run.threads = threads
    return try TextEncoder(path: path, options: run)
  }

  @Test(arguments: Entry.all.filter { $0.json["vectors"] != nil }, [1, 3])
  func vectorsAreThoseOfSentenceTransformers(_ entry: Entry, _ threads: Int) throws {
    let encoder = try encoder(entry, threads: threads)
    #expect(encoder.kind == .sentences)
    let golden = entry.json["vectors"] as! [[Double]]
    for (text, vector) in zip(entry.texts, golden) {
      let ours = try encoder.vector(of: text)
      #expect(relativeError(ours, vector.map(Float.init)) < 1e-3, "\(text)")
    }
    // The positions of a RoBERTa are fewer than its configuration says.
    let length = entry.json["length"] as! Int
    #expect(encoder.maximumTokens == (length == 66 ? 64 : length))
  }

  @Test(arguments: Entry.all.filter { $0.json["ids"] != nil })
  func idsAreThoseOfTransformers(_ entry: Entry) throws {
    let encoder = try encoder(entry)
    for (text, ids) in zip(entry.texts, entry.json["ids"] as! [[Int]]) {
      let ours = Array(text.utf8).withUnsafeBytes { encoder.tokens(of: $0) }
      #expect(ours == ids.map(Int32.init), "\(text)")
    }
  }

  /// Tensors and settings that transformers ignores are told.
  @Test(
    arguments: Entry.all.filter { $0.name.hasPrefix("undeclared-") || $0.name.hasPrefix("partial") }
  )
  func whatIsIgnoredIsTold(_ entry: Entry) throws {
    let told = try Converter(folder: try entry.write(in: folder), weights: .fp32).warnings
    if entry.name.hasPrefix("partial") {
      #expect(told.contains { $0.contains("partial_rotary_factor 0.5 is not followed") }, "\(told)")
      return
    }
    let tensors = (entry.json["tensors"] as? [String: [Int]] ?? [:]).keys
    // The fixture of GPT-NeoX has its biases.
    let isDropped =
      !entry.name.hasPrefix("undeclared-declared")
      && (!tensors.isEmpty || entry.name.hasSuffix("neox"))
    #expect(told.contains { $0.contains("left out, as in transformers") } == isDropped, "\(told)")
    if isDropped, let first = tensors.min() {
      #expect(told.contains { $0.contains(first) }, "\(told)")
    }
  }

  /// A batch of sequences that passes split gives the vectors of the texts alone.
  @Test(arguments: ["mean", "max", "cls", "weightedmean"])
  func pooledSequencesMayGoOnInTheNextPass(_ mode: String) throws {
    let entry = try #require(Entry.all.first { $0.name == "decoder-legacy-\(mode)" })
    let one = try encoder(entry)
    let texts = entry.texts + [String(repeating: "many words of a long text, ", count: 9)]
    let alone = try texts.map { try one.vector(of: $0) }
    var options = TextEncoder.Options()
    options.threads = 2
    options.batch = texts.count
    let many = try TextEncoder(path: folder.path("m.vdsq"), options: options)
    for text in texts { _ = Array(text.utf8).withUnsafeBytes { many.add($0) } }
    try many.encode { index, vector in
      let ours = Array(UnsafeBufferPointer(start: vector, count: many.dimensions))
      #expect(relativeError(ours, alone[index]) < 1e-4)
    }
  }

  private func convert(_ name: String, _ files: [String: String]) throws -> Container {
    let path = try folder.copy(ofFixture: name, as: "args")
    defer { try? FileManager.default.removeItem(atPath: path) }
    for (file, text) in files {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path).appendingPathComponent(file))
    }
    _ = try Converter(folder: path, weights: .fp32).write(
      to: folder.path("args.vdsq"), replace: true, progress: Progress(total: 1) { _ in })
    return try Container(path: folder.path("args.vdsq"), kind: .model)
  }

  /// The tokenizer's own argument precedes `max_seq_length`, and the older name the newer one: 7, 9
  /// and 7 tokens in sentence-transformers 6.2.
  @Test(arguments: [
    (#"{"max_seq_length": 9, "tokenizer_args": {"model_max_length": 7}}"#, 7),
    (#"{"max_seq_length": 7, "tokenizer_args": {"model_max_length": 9}}"#, 9),
    (
      #"{"tokenizer_args": {"model_max_length": 7}, "processor_kwargs": {"model_max_length": 5}}"#,
      7
    ),
  ])
  func argumentsOfTheTokenizer(_ settings: String, _ tokens: Int) throws {
    let file = try convert("bert-mean", ["sentence_bert_config.json": settings])
    #expect(try file.metadata.integer("maximum_tokens", in: 1...1000) == tokens)
  }

  /// Arguments count beside `max_seq_length` too.
  @Test(arguments: [
    "tokenizer_args", "processor_kwargs", "config_args", "config_kwargs", "model_args",
    "model_kwargs",
  ])
  func argumentsAreRefusedByName(_ key: String) {
    #expect {
      try convert(
        "bert-mean",
        ["sentence_bert_config.json": #"{"max_seq_length": 16, "\#(key)": {"some_name": true}}"#])
    } throws: {
      let message = ($0 as? VDSQError)?.message ?? ""
      return message.contains(key) && message.contains("some_name")
    }
  }
}

/// What a `tokenizer.json` asks for and transformers does not do as the file says.
@Suite struct TokenizerRefusalTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func message(
    _ fixture: String, _ settings: String?, _ change: (inout [String: Any]) -> Void
  ) throws -> String? {
    let path = try folder.copy(ofFixture: fixture, as: UUID().uuidString)
    let url = URL(fileURLWithPath: "\(path)/tokenizer.json")
    var content = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as! [String: Any]
    change(&content)
    try JSONSerialization.data(withJSONObject: content).write(to: url)
    if let settings {
      try settings.write(
        toFile: "\(path)/tokenizer_config.json", atomically: true, encoding: .utf8)
    }
    let result = Result { () throws(VDSQError) in try Converter(folder: path, weights: .int8) }
    switch result {
    case .failure(let error): return error.message
    case .success(let converter): return converter.warnings.joined(separator: "\n")
    }
  }

  /// Random merges are refused, unless the class of the tokenizer leaves them out.
  @Test func dropout() throws {
    func dropout(_ value: Any) -> (inout [String: Any]) -> Void {
      {
        var model = $0["model"] as! [String: Any]
        model["dropout"] = value
        $0["model"] = model
      }
    }
    let plain = #"{"tokenizer_class": "PreTrainedTokenizerFast"}"#
    for (fixture, value) in [("gpt2", 0.1), ("llama", 1.0), ("gpt-neox", 0.5)] {
      let told = try message("language-models/\(fixture)", plain, dropout(value))
      #expect(told?.contains("model.dropout") == true, "\(fixture): \(told ?? "")")
    }
    #expect(try message("language-models/gpt2", plain, dropout(0.0)) == "")
    #expect(
      try message(
        "language-models/gpt2", #"{"tokenizer_class": "GPT2Tokenizer"}"#, dropout(0.1)) == "")
  }

  /// Hugging Face's tokenizers give an added token the id of the vocabulary, or the next one. An id
  /// beyond a gap is kept, with a warning.
  @Test(arguments: ["bert-mean", "language-models/gpt2", "language-models/llama"])
  func idsOfAddedTokens(_ fixture: String) throws {
    func add(_ text: String, _ id: (_ size: Int) -> Int) throws -> String {
      try message(fixture, #"{"tokenizer_class": "PreTrainedTokenizerFast"}"#) { content in
        let vocabulary = (content["model"] as! [String: Any])["vocab"] as! [String: Int]
        var tokens = content["added_tokens"] as! [[String: Any]]
        tokens.append([
          "id": id(vocabulary.count), "content": text, "single_word": false, "lstrip": false,
          "rstrip": false, "normalized": false, "special": true,
        ])
        content["added_tokens"] = tokens
      } ?? ""
    }
    let moved = try add("e") { _ in 3 }
    #expect(moved.contains("added_tokens has e with the id 3"), "\(moved)")
    #expect(moved.contains("its id in the vocabulary"))
    let later = try add("<new>") { $0 - 1 }
    #expect(later.contains("added_tokens has <new>") && later.contains("the next one"), "\(later)")
    let beyond = try add("<new>") { $0 + 3 }
    // The embedding table of bert-mean has no rows to spare.
    #expect(beyond.contains(fixture == "bert-mean" ? "out of range" : "is kept"), "\(beyond)")
  }

  /// A class that builds another model than the file has is not guessed.
  @Test(arguments: [
    ("bert-mean", "GPT2Tokenizer", "builds a BPE tokenizer"),
    ("language-models/gpt2", "BertTokenizer", "builds a WordPiece tokenizer"),
    ("language-models/llama", "XLMRobertaTokenizer", "builds a Unigram tokenizer"),
  ])
  func modelsOfOtherClasses(_ fixture: String, _ name: String, _ words: String) throws {
    let told = try message(fixture, #"{"tokenizer_class": "\#(name)"}"#) { _ in }
    #expect(told?.contains(words) == true, "\(told ?? "")")
  }

  /// Without settings the file is followed, and a warning says where the class differs.
  @Test func classesWithoutSettings() throws {
    let told = try message("language-models/gpt2", nil) { $0["normalizer"] = ["type": "NFD"] }
    #expect(told?.contains("transformers would build other parts") == true, "\(told ?? "")")
    for fixture in ["roberta", "gpt2", "llama", "qwen2", "qwen3", "gpt-neox", "mistral", "electra"]
    {
      #expect(try message("language-models/\(fixture)", nil) { _ in } == "", "\(fixture)")
    }
  }
}
