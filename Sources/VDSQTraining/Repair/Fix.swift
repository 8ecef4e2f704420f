package import VDSQFormat
import VDSQStreams

/// A prompt with the answer that a language model should give.
package struct Fix: Sendable, Equatable {
  /// The text before the answer.
  package let prompt: String
  /// The text that should follow it.
  package let answer: String
  /// Other prompts that should have the same answer. The repair does not learn from them.
  package let paraphrases: [String]
  /// Its file and line in error messages; nil if it is from no file.
  let place: String?

  package init(
    prompt: String, answer: String, paraphrases: [String] = [], place: String? = nil
  ) {
    (self.prompt, self.answer, self.paraphrases) = (prompt, answer, paraphrases)
    self.place = place
  }

  /// Reads JSON Lines, `{"prompt": "...", "answer": "...", "paraphrases": ["..."]}`, of at most
  /// 16 MiB.
  ///
  /// - Throws: `missingInput` if the file cannot be opened; `badInput`, naming the file and the
  ///   line, if a fix is malformed, or if there is none.
  package static func read(_ path: String) throws(VDSQError) -> [Fix] {
    let file = try TextFile(path: path, limit: 16 << 20)
    let record = RecordFields([
      try FieldPath("prompt"), try FieldPath("answer"), try FieldPath("paraphrases"),
    ])
    var fixes: [Fix] = []
    try file.forEachLine { (line, number) throws(VDSQError) in
      if TextFile.isBlank(line) { return }
      do throws(VDSQError) {
        fixes.append(
          try Array(line).withBytes { (bytes) throws(VDSQError) in
            try record.read(bytes)
            return Fix(
              prompt: try record.readableText(0), answer: try record.readableText(1),
              paraphrases: try paraphrases(record), place: "\(path): line \(number)")
          })
      } catch { throw error.within("\(path): line \(number)") }
    }
    guard !fixes.isEmpty else { throw .badInput("\(path): no fixes") }
    return fixes
  }

  private static func paraphrases(_ record: RecordFields) throws(VDSQError) -> [String] {
    guard let value = record.values[2], value.kind != .null else { return [] }
    guard value.kind == .array else {
      throw .badInput("the field paraphrases is not a list of texts")
    }
    return try record.bytes(of: value).texts()
  }
}

extension UnsafeRawBufferPointer {
  /// The texts of a JSON array.
  fileprivate func texts() throws(VDSQError) -> [String] {
    var texts: [String] = []
    var scanner = JSONScanner(self)
    try scanner.elements { (scanner) throws(VDSQError) in
      let element = try scanner.value()
      guard element.kind == .string else {
        throw .badInput("an element of the field paraphrases is not a text")
      }
      var text: [UInt8] = []
      _ = scanner.decode(element.range, into: &text)
      guard !TextFile.isBlank(text) else {
        throw .badInput("an element of the field paraphrases has nothing to read")
      }
      texts.append(String(decoding: text, as: UTF8.self))
    }
    return texts
  }
}
