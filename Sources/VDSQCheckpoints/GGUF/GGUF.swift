package import VDSQFormat

/// A GGUF file (version 2 or 3, little-endian): typed metadata, a directory of tensors, and their
/// bytes.
///
/// Every count and offset is checked against the length of the file before it is used.
package struct GGUF {
  /// A metadata value. Arrays hold strings or numbers only; no model has nested arrays.
  package enum Value: Sendable, Equatable {
    /// A signed or unsigned integer of 8 to 64 bits.
    case integer(Int)
    /// A float32 or float64.
    case number(Double)
    /// A bool, one byte in the file.
    case boolean(Bool)
    /// A UTF-8 string.
    case text(String)
    /// An array of integers, or of bools as 0 and 1.
    case integers([Int])
    /// An array of float32 or float64.
    case numbers([Double])
    /// An array of UTF-8 strings.
    case texts([String])
  }

  /// The open file with the metadata; the first of several parts.
  package let file: InputFile
  /// All files from which tensors are read, the first one with the metadata.
  package private(set) var files: [InputFile]
  /// Values by key, such as `general.architecture`.
  package let metadata: [String: Value]
  /// Tensors by name. Shapes have rows first, as everywhere in this package, and not in GGUF's
  /// order.
  package private(set) var tensors: [String: SourceTensor]

  private static let magic: [UInt8] = Array("GGUF".utf8)
  /// A limit above the number of any model.
  private static let mostEntries = 1 << 16
  private static let mostElements = 1 << 24
  private static let longestText = 1 << 20

  /// Whether a file starts with the bytes `GGUF`; false if it cannot be read.
  package static func isGGUF(_ path: String) -> Bool {
    guard let file = try? InputFile(path: path), file.length >= 4,
      let start = try? file.bytes(at: 0, count: 4)
    else { return false }
    return start == magic
  }

  /// - Throws: `missingInput` or `badInput`.
  package init(path: String) throws(VDSQError) {
    let file = try InputFile(path: path)
    self.file = file
    files = [file]
    var reader = StreamReader(file)
    guard try reader.take(4) == Self.magic else {
      throw .badInput("\(path): not a GGUF file (its first bytes are others)")
    }
    let version = try reader.integer(UInt32.self)
    guard version.byteSwapped > 3 else {
      throw .badInput(
        "\(path): the file is big-endian; make it little-endian with gguf-convert-endian of the "
          + "gguf package")
    }
    guard version == 2 || version == 3 else {
      throw .badInput("\(path): GGUF version \(version); supported: 2 and 3, little-endian")
    }
    let tensorCount = try reader.count("tensors", Self.mostEntries)
    let metadataCount = try reader.count("metadata entries", Self.mostEntries)
    var metadata: [String: Value] = [:]
    for _ in 0..<metadataCount {
      let key = try reader.text(Self.longestText)
      let value = try Self.value(&reader, key)
      guard metadata.updateValue(value, forKey: key) == nil else {
        throw .badInput("\(path): the metadata key \(key) is there twice")
      }
    }
    self.metadata = metadata
    var entries: [(name: String, type: UInt32, shape: [Int], offset: Int)] = []
    for _ in 0..<tensorCount {
      let name = try reader.text(Self.longestText)
      let rank = Int(try reader.integer(UInt32.self))
      guard rank >= 1, rank <= 4 else {
        throw .badInput("\(path): tensor \(name) has \(rank) dimensions")
      }
      var shape: [Int] = []
      for _ in 0..<rank { shape.insert(try reader.count("a dimension", 1 << 40), at: 0) }
      let type = try reader.integer(UInt32.self)
      entries.append((name, type, shape, try reader.count("a tensor's offset", .max)))
    }
    var alignment = 32
    if case .integer(let value)? = metadata["general.alignment"] { alignment = value }
    guard alignment > 0, alignment <= 1 << 16, alignment.nonzeroBitCount == 1 else {
      throw .badInput("\(path): general.alignment \(alignment) is no power of two")
    }
    let start = (reader.position + alignment - 1) / alignment * alignment
    var tensors: [String: SourceTensor] = [:]
    var spans: [(start: Int, end: Int, name: String)] = []
    for entry in entries {
      let tensor = try Self.tensor(entry, file, start)
      guard tensors.updateValue(tensor, forKey: entry.name) == nil else {
        throw .badInput("\(path): tensor \(entry.name) is there twice")
      }
      spans.append((tensor.offset, tensor.offset + tensor.byteCount, entry.name))
    }
    spans.sort { ($0.start, $0.end) < ($1.start, $1.end) }
    for (a, b) in zip(spans, spans.dropFirst()) where b.start < a.end {
      throw .badInput("\(path): tensor \(b.name) overlaps \(a.name)")
    }
    self.tensors = tensors
  }

  /// Adds the tensors of another part of a split file.
  ///
  /// - Throws: `badInput` if a tensor is in both.
  mutating func add(_ part: GGUF) throws(VDSQError) {
    files += part.files
    for (name, tensor) in part.tensors {
      guard tensors.updateValue(tensor, forKey: name) == nil else {
        throw .badInput("\(part.file.path): tensor \(name) is in two parts")
      }
    }
  }

  private static func tensor(
    _ entry: (name: String, type: UInt32, shape: [Int], offset: Int), _ file: InputFile,
    _ start: Int
  ) throws(VDSQError) -> SourceTensor {
    let what = "\(file.path): tensor \(entry.name)"
    guard let type = SourceType.gguf(entry.type) else {
      let name = GGUFBlockType.unsupported[entry.type] ?? "\(entry.type)"
      throw .badInput("\(what) is of GGML type \(name); supported: \(SourceType.ggufNames)")
    }
    var count = 1
    for size in entry.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, product <= 1 << 48 else {
        throw .badInput("\(what): the product of its shape overflows")
      }
      count = product
    }
    guard entry.shape.last! % type.blockLength == 0 else {
      throw .badInput(
        "\(what): rows of \(entry.shape.last!) are no whole blocks of \(type.name)")
    }
    let bytes = type.bytes(of: count)
    guard start <= file.length, entry.offset <= file.length - start,
      bytes <= file.length - start - entry.offset
    else { throw .badInput("\(what): its bytes lie outside of the file") }
    return SourceTensor(
      name: entry.name, type: type, shape: entry.shape, file: file, offset: start + entry.offset)
  }

  private static func value(
    _ reader: inout StreamReader, _ key: String
  ) throws(VDSQError) -> Value {
    let type = try reader.integer(UInt32.self)
    if let scalar = try scalar(&reader, type) { return scalar }
    guard type == 9 else {
      throw .badInput("\(reader.path): metadata \(key) is of unknown type \(type)")
    }
    let element = try reader.integer(UInt32.self)
    let count = try reader.count("elements of \(key)", mostElements)
    var integers: [Int] = []
    var numbers: [Double] = []
    var texts: [String] = []
    for index in 0..<count {
      switch try scalar(&reader, element) {
      case .integer(let n): integers.append(n)
      case .boolean(let flag): integers.append(flag ? 1 : 0)
      case .number(let x): numbers.append(x)
      case .text(let text):
        // Two tokens may become one if bytes are replaced.
        guard !reader.replacedBytes || !key.startsWithBytes(of: "tokenizer.") else {
          throw .badInput(
            "\(reader.path): metadata \(key): text \(index) is no UTF-8, which is not supported")
        }
        texts.append(text)
      default: throw .badInput("\(reader.path): metadata \(key) is an array of unknown things")
      }
    }
    switch element {
    case 6, 12: return .numbers(numbers)
    case 8: return .texts(texts)
    default: return .integers(integers)
    }
  }

  private static func scalar(
    _ reader: inout StreamReader, _ type: UInt32
  ) throws(VDSQError) -> Value? {
    switch type {
    case 0: .integer(Int(try reader.integer(UInt8.self)))
    case 1: .integer(Int(try reader.integer(Int8.self)))
    case 2: .integer(Int(try reader.integer(UInt16.self)))
    case 3: .integer(Int(try reader.integer(Int16.self)))
    case 4: .integer(Int(try reader.integer(UInt32.self)))
    case 5: .integer(Int(try reader.integer(Int32.self)))
    case 6: .number(Double(Float(bitPattern: try reader.integer(UInt32.self))))
    case 7: .boolean(try reader.integer(UInt8.self) != 0)
    case 8: .text(try reader.text(longestText))
    case 10: .integer(Int(truncatingIfNeeded: try reader.integer(UInt64.self)))
    case 11: .integer(Int(try reader.integer(Int64.self)))
    case 12: .number(Double(bitPattern: try reader.integer(UInt64.self)))
    default: nil
    }
  }
}
