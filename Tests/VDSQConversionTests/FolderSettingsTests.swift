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
