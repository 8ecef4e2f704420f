package import VDSQFormat

/// The metadata of a GGUF file, read with errors that name the key. All functions but `text` put
/// the name of the architecture in front of a key.
package struct GGUFMetadata {
  /// The file of the metadata.
  package let file: GGUF
  private let prefix: String

  init(_ file: GGUF) {
    self.file = file
    if case .text(let architecture)? = file.metadata["general.architecture"] {
      prefix = architecture
    } else {
      prefix = ""
    }
  }

  /// A value of the architecture; nil if it is absent.
  package func find(_ key: String) -> GGUF.Value? { file.metadata["\(prefix).\(key)"] }

  /// The error of a key of the architecture with a value that is not supported.
  ///
  /// - Parameter reason: why it is refused.
  package func refused(_ key: String, _ reason: String) -> VDSQError {
    .badInput("\(file.file.path): metadata \(prefix).\(key): \(reason)")
  }

  /// Checks that heads are as those of an encoder or of GPT: as many of keys and values as of
  /// queries, which share the hidden size.
  package func checkPlainHeads(of hiddenSize: Int, _ heads: Int) throws(VDSQError) {
    guard try size("attention.head_count_kv", default: heads) == heads else {
      throw refused("attention.head_count_kv", "as many heads as of queries are supported")
    }
    for key in ["attention.key_length", "attention.value_length"] {
      guard try size(key, default: hiddenSize / max(1, heads)) * heads == hiddenSize else {
        throw refused(key, "heads that do not share the hidden size are not supported")
      }
    }
  }

  func text(_ key: String) throws(VDSQError) -> String {
    guard case .text(let text)? = file.metadata[key] else {
      throw .badInput("\(file.file.path): metadata \(key) is missing or no text")
    }
    return text
  }

  /// A positive integer of the architecture.
  ///
  /// - Throws: `badInput` if the value is out of range, or absent without a default.
  package func size(_ key: String, default standard: Int? = nil) throws(VDSQError) -> Int {
    if case .integer(let value)? = find(key), value >= 1, value <= 1 << 40 { return value }
    // Some files have one number per layer.
    if case .integers(let values)? = find(key), let first = values.first,
      values.allSatisfy({ $0 == first }), first >= 1
    {
      return first
    }
    guard find(key) == nil, let standard else {
      throw .badInput("\(file.file.path): metadata \(prefix).\(key) is missing or out of range")
    }
    return standard
  }

  /// A finite number of the architecture.
  ///
  /// - Throws: `badInput` if the value is no such number, or absent without a default.
  package func number(_ key: String, default standard: Double? = nil) throws(VDSQError) -> Double {
    switch find(key) {
    case .number(let value)? where value.isFinite: return value
    case .integer(let value)?: return Double(value)
    case nil where standard != nil: return standard!
    default:
      throw .badInput("\(file.file.path): metadata \(prefix).\(key) is missing or no number")
    }
  }

  /// The number of rows of the embedding table.
  ///
  /// - Throws: `badInput` if the table is missing or no matrix.
  package func vocabulary() throws(VDSQError) -> Int {
    guard let table = file.tensors["token_embd.weight"], table.shape.count == 2 else {
      throw .badInput("\(file.file.path): tensor token_embd.weight is missing or no matrix")
    }
    return table.rows
  }
}
