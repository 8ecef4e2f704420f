import VDSQFormat

/// A model of karpathy's llama2.c in Hugging Face's terms: a `.bin` file of `export.py`'s version 0
/// (without a magic number), 1 (float32) or 2 (int8 in groups), and the `tokenizer.bin` beside it.
struct Llama2C: ModelFile {
  let config: JSON
  let tensors: [String: SourceTensor]
  private let path: String
  private let vocabularySize: Int

  private static let magic: UInt32 = 0x616B_3432
  private static let headerLength = 256

  private typealias Header = Llama2CHeader

  /// Whether a file is one of these. A file without a magic number is recognised by its length.
  static func isModel(_ path: String) -> Bool {
    guard let file = try? InputFile(path: path), let header = try? header(of: file) else {
      return false
    }
    return header.version > 0 || (try? Layout(file, header).end == file.length) == true
  }

  /// - Parameter names: the names of Hugging Face.
  /// - Throws: `badInput` if sizes are out of range or do not match the length of the file.
  init(path: String, names: Llama2CNames) throws(VDSQError) {
    self.path = path
    let file = try InputFile(path: path)
    let header = try Self.header(of: file)
    let layout = try Layout(file, header, names: names.tensors)
    guard layout.end == file.length else {
      throw .badInput(
        "\(path): llama2.c: \(file.length) bytes, but a model of its sizes has \(layout.end)")
    }
    tensors = layout.tensors
    vocabularySize = header.vocabulary
    config = JSON(members: names.config(header))
  }

  private static func header(of file: InputFile) throws(VDSQError) -> Header {
    let bytes = try file.bytes(at: 0, count: min(file.length, 64))
    return try bytes.withBytes { (raw) throws(VDSQError) in
      var reader = ByteReader(raw, context: "\(file.path): llama2.c header")
      var header = Header()
      var first = ByteReader(raw, context: reader.context)
      if try first.integer(UInt32.self, "magic") == magic {
        _ = try reader.take(4, "magic")
        header.version = Int(try reader.integer(Int32.self, "version"))
        guard header.version == 1 || header.version == 2 else {
          throw .badInput("\(reader.context): version \(header.version); known: 0, 1, 2")
        }
      }
      func size(_ field: StaticString, _ limit: Int) throws(VDSQError) -> Int {
        let value = Int(try reader.integer(Int32.self, field))
        guard value >= 1, value <= limit else {
          throw .badInput("\(reader.context): \(field) \(value) is not in 1...\(limit)")
        }
        return value
      }
      header.dim = try size("dim", 65536)
      header.hidden = try size("hidden_dim", 1 << 20)
      header.layers = try size("n_layers", 1024)
      header.heads = try size("n_heads", 4096)
      header.keyValueHeads = try size("n_kv_heads", header.heads)
      var vocabulary = Int(try reader.integer(Int32.self, "vocab_size"))
      // In version 0, the sign says whether the classifier is a separate table.
      if header.version == 0, vocabulary < 0 {
        header.isShared = false
        vocabulary = -vocabulary
      }
      guard vocabulary >= 1, vocabulary <= 1 << 24 else {
        throw .badInput("\(reader.context): vocab_size \(vocabulary) is out of range")
      }
      header.vocabulary = vocabulary
      header.positions = try size("seq_len", 1 << 24)
      guard header.dim % header.heads == 0, header.headSize % 2 == 0,
        header.heads % header.keyValueHeads == 0
      else { throw .badInput("\(reader.context): sizes are not multiples of the numbers of heads") }
      guard header.version > 0 else { return header }
      header.isShared = try reader.integer(UInt8.self, "shared classifier") != 0
      if header.version == 2 {
        header.group = try size("group size", 65536)
        guard header.dim % header.group == 0, header.hidden % header.group == 0 else {
          throw .badInput("\(reader.context): rows are not made of groups of \(header.group)")
        }
      }
      return header
    }
  }

  /// The location of each tensor.
  private struct Layout {
    private(set) var tensors: [String: SourceTensor] = [:]
    private(set) var end: Int
    private let file: InputFile
    private let header: Header
    private let names: [String: String]

    /// - Parameter names: other names of the tensors; `#` is the layer number.
    init(_ file: InputFile, _ header: Header, names: [String: String] = [:]) throws(VDSQError) {
      self.file = file
      self.header = header
      self.names = names
      end = header.version == 0 ? 28 : Llama2C.headerLength
      let d = header.dim, kv = header.keyValueHeads * header.headSize
      let attention = [("wq", [d, d]), ("wk", [kv, d]), ("wv", [kv, d]), ("wo", [d, d])]
      let feedForward = [
        ("w1", [header.hidden, d]), ("w2", [d, header.hidden]), ("w3", [header.hidden, d]),
      ]
      if header.version == 0 {
        try add("token_embedding_table", [header.vocabulary, d])
        try addLayers("rms_att_weight", [d])
        for (name, shape) in attention { try addLayers(name, shape) }
        try addLayers("rms_ffn_weight", [d])
        for (name, shape) in feedForward { try addLayers(name, shape) }
        try add("rms_final_weight", [d])
        // Skips cosines and sines, which can be computed from the positions.
        end += header.positions * header.headSize * 4
      } else {
        try addLayers("rms_att_weight", [d])
        try addLayers("rms_ffn_weight", [d])
        try add("rms_final_weight", [d])
        try add("token_embedding_table", [header.vocabulary, d])
        for (name, shape) in attention + feedForward { try addLayers(name, shape) }
      }
      if !header.isShared { try add("wcls", [header.vocabulary, d]) }
    }

    private mutating func addLayers(_ name: String, _ shape: [Int]) throws(VDSQError) {
      for layer in 0..<header.layers { try add(name, shape, layer: layer) }
    }

    private mutating func add(
      _ ownName: String, _ shape: [Int], layer: Int? = nil
    ) throws(VDSQError) {
      var name = names[ownName] ?? ownName
      if let layer {
        name = name.split(separator: "#", omittingEmptySubsequences: false)
          .joined(separator: "\(layer)")
      }
      let count = shape.reduce(1, *)
      let isQuantized = header.version == 2 && shape.count == 2
      var tensor = SourceTensor(
        name: name, type: isQuantized ? .int8 : .float32, shape: shape, file: file, offset: end)
      end += tensor.byteCount
      if isQuantized {
        tensor.scales = SourceScales(type: .float32, offset: end, columns: header.group)
        end += count / header.group * 4
      }
      guard end <= file.length else {
        throw .badInput("\(file.path): llama2.c: tensor \(name) lies outside of the file")
      }
      if ownName == "wq" || ownName == "wk" {
        tensor.order = .alternatingHalves(headSize: header.headSize)
      }
      tensors[name] = tensor
    }
  }

  // MARK: Tokenizer

  var paths: [String] { [path] }

  func isIgnorable(_ tensor: String) -> Bool { true }

  /// The tokens with which texts begin and end: llama2.c's own program stops at either.
  func moduleTensors(_ folder: String) -> [String: SourceTensor] { [:] }

  func companion(_ name: String) throws(VDSQError) -> JSON? {
    guard name == "generation_config.json" else { return nil }
    return JSON(members: [
      ("bos_token_id", .number(1)), ("eos_token_id", .array([.number(2), .number(1)])),
    ])
  }

  /// `tokenizer.bin`: a score and a text for each token of a SentencePiece vocabulary with byte
  /// fallback.
  func tokenizer() throws(VDSQError) -> JSON {
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    let file = (folder + ["tokenizer.bin"]).joined(separator: "/")
    let bytes = try InputFile.contents(of: file)
    var tokens: [String] = []
    var scores: [Double] = []
    var kinds: [Int] = []
    try bytes.withBytes { (raw) throws(VDSQError) in
      var reader = ByteReader(raw, context: file)
      _ = try reader.integer(UInt32.self, "longest token")
      while reader.remaining > 0 {
        scores.append(Double(try reader.float("score")))
        let text = try reader.take(Int(try reader.integer(UInt32.self, "length")), "token")
        guard let token = String(validating: text, as: UTF8.self), scores.last!.isFinite else {
          throw .badInput("\(file): token \(tokens.count) is no UTF-8, or has no score")
        }
        let id = tokens.count
        let isByte = token.startsWithBytes(of: "<0x") && token.utf8.count == 6
        kinds.append(id == 0 ? 2 : id < 3 ? 3 : isByte ? 6 : 1)
        // Control tokens are stored with line ends around them.
        tokens.append(
          id == 1
            ? "<s>"
            : id == 2
              ? "</s>" : token.parts(between: UInt8(ascii: " ")).joined(separator: "\u{2581}"))
      }
    }
    guard tokens.count > 3, tokens.count <= vocabularySize else {
      throw .badInput("\(file): \(tokens.count) tokens, but the model has \(vocabularySize)")
    }
    return try GGUFTokenizer(
      [
        "tokenizer.ggml.model": .text(GGUFTokenizerModel.sentencePiece.rawValue),
        "tokenizer.ggml.tokens": .texts(tokens),
        "tokenizer.ggml.scores": .numbers(scores), "tokenizer.ggml.token_type": .integers(kinds),
        "tokenizer.ggml.bos_token_id": .integer(1), "tokenizer.ggml.unknown_token_id": .integer(0),
      ], path: file
    ).json
  }
}
