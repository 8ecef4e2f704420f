import Glibc
import VDSQCheckpoints
import VDSQConversion
import VDSQFormat

/// The configuration files of a folder, a line for each in the order of `SettingsFolder.names`: what
/// a conversion makes of modules, prompts, heads, lengths and the tokenizer's settings. An empty
/// line is a file that is not there. The weights are always the same.
func fuzzSettings(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) {
  let path = SettingsFolder.path(with: bytes)
  let source = try ModelSource.read(try Checkpoint(path: path))
  // What is written must be readable.
  let architecture = try Architecture(source.metadata)
  _ = try OutputHead(source.metadata)
  let prompts = try Prompts(source.metadata)
  for prompt in prompts.all {
    _ = try prompts.text(prompt.name, path)
  }
  precondition(architecture.vectorSize > 0)
}

/// A folder in memory with the weights of a BERT of one layer and of modules behind it.
enum SettingsFolder {
  static let names = [
    "config.json", "modules.json", "config_sentence_transformers.json",
    "sentence_bert_config.json", "1_Pooling/config.json", "2_Dense/config.json",
    "3_LayerNorm/config.json", "tokenizer_config.json",
  ]

  private static let root: String = {
    let root = "/dev/shm/vdsq-fuzz-settings-\(getpid())"
    for folder in ["", "/1_Pooling", "/2_Dense", "/3_LayerNorm"] {
      precondition(mkdir(root + folder, 0o700) == 0)
    }
    write("\(root)/model.safetensors", safetensors(tensors))
    write(
      "\(root)/2_Dense/model.safetensors",
      safetensors([("linear.weight", [6, 4]), ("linear.bias", [6])]))
    write(
      "\(root)/3_LayerNorm/model.safetensors",
      safetensors([("norm.weight", [6]), ("norm.bias", [6])]))
    write("\(root)/tokenizer.json", Array(tokenizer.utf8))
    atexit { SettingsFolder.remove() }
    return root
  }()

  static func path(with lines: UnsafeRawBufferPointer) -> String {
    var parts = lines.split(
      separator: UInt8(ascii: "\n"), maxSplits: names.count - 1, omittingEmptySubsequences: false)
    while parts.count < names.count { parts.append(lines[lines.endIndex...]) }
    for (place, part) in parts.enumerated() where !part.elementsEqual(present[place]) {
      let path = "\(root)/\(names[place])"
      present[place] = Array(part)
      if part.isEmpty { unlink(path) } else { write(path, present[place]) }
    }
    return root
  }

  /// The content of each file as of the last input, most of which stay as they are.
  nonisolated(unsafe) private static var present = [[UInt8]](repeating: [], count: names.count)

  private static func write(_ path: String, _ bytes: [UInt8]) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    precondition(descriptor >= 0 && Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
    close(descriptor)
  }

  private static func remove() {
    for name in names + ["model.safetensors", "tokenizer.json"] { unlink("\(root)/\(name)") }
    for folder in ["1_Pooling", "2_Dense", "3_LayerNorm"] {
      unlink("\(root)/\(folder)/model.safetensors")
      rmdir("\(root)/\(folder)")
    }
    rmdir(root)
  }

  /// Tensors of zeros.
  private static func safetensors(_ tensors: [(name: String, shape: [Int])]) -> [UInt8] {
    var header = "{", end = 0
    for (name, shape) in tensors {
      let bytes = 4 * shape.reduce(1, *)
      header += header.utf8.count > 1 ? "," : ""
      header +=
        "\"\(name)\":{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":[\(end),\(end + bytes)]}"
      end += bytes
    }
    header += "}"
    let length = (0..<8).map { UInt8(header.utf8.count >> (8 * $0) & 255) }
    return length + Array(header.utf8) + [UInt8](repeating: 0, count: end)
  }

  /// A BERT with 4 dimensions, 8 tokens and 8 positions, and a head of two labels.
  private static let tensors: [(name: String, shape: [Int])] = {
    let d = 4, inner = 8
    var all: [(String, [Int])] = [
      ("bert.embeddings.word_embeddings.weight", [8, d]),
      ("bert.embeddings.position_embeddings.weight", [8, d]),
      ("bert.embeddings.token_type_embeddings.weight", [2, d]),
      ("bert.embeddings.LayerNorm.weight", [d]), ("bert.embeddings.LayerNorm.bias", [d]),
    ]
    let layer = "bert.encoder.layer.0."
    for (name, shape) in [
      ("attention.self.query", [d, d]), ("attention.self.key", [d, d]),
      ("attention.self.value", [d, d]), ("attention.output.dense", [d, d]),
      ("intermediate.dense", [inner, d]), ("output.dense", [d, inner]),
    ] {
      all += [("\(layer)\(name).weight", shape), ("\(layer)\(name).bias", [shape[0]])]
    }
    for name in ["attention.output.LayerNorm", "output.LayerNorm"] {
      all += [("\(layer)\(name).weight", [d]), ("\(layer)\(name).bias", [d])]
    }
    return all + [
      ("bert.pooler.dense.weight", [d, d]), ("bert.pooler.dense.bias", [d]),
      ("classifier.weight", [2, d]), ("classifier.bias", [2]),
    ]
  }()

  private static let tokenizer = """
    {"added_tokens": [], "normalizer": {"type": "BertNormalizer", "lowercase": true},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab":
    {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "bad": 4, "##x": 5, "the": 6, "x": 7}}}
    """
}
