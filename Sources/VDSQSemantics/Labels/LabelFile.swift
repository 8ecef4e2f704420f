public import VDSQFormat
import VDSQStreams

/// Reads labels from a file: one per line, as `name` or `name=word,word phrase`; or a JSON object
/// of `"name": ["word", "word phrase"]` or `"name": "word"`; or a JSON array of names.
///
/// Lines end with LF, CRLF or CR. Blank lines and lines that begin with `# ` are skipped. A label
/// whose name begins with `#`, or a word with an equals sign, needs JSON.
public enum LabelFile {
  /// The longest file, in bytes.
  private static let longest = 16 << 20

  /// Reads a file of at most 16 MiB.
  ///
  /// - Throws: `missingInput` if it cannot be opened; `badInput` if it is not UTF-8, its JSON is
  ///   malformed, a word is not a text, or `Label.checked` refuses the labels. Messages name the
  ///   file and the line.
  public static func read(_ path: String) throws(VDSQError) -> [Label] {
    try labels(in: try TextFile(path: path, limit: longest))
  }

  /// Reads the contents of a file.
  ///
  /// - Parameter path: the file, for error messages.
  /// - Throws: as `read` does.
  public static func labels(in bytes: [UInt8], path: String) throws(VDSQError) -> [Label] {
    try labels(in: try TextFile(bytes, path: path))
  }

  private static func labels(in file: TextFile) throws(VDSQError) -> [Label] {
    let labels = try isJSON(file.bytes) ? json(file) : lines(file)
    do throws(VDSQError) {
      return try Label.checked(labels)
    } catch { throw .badInput("\(file.path): \(error.message)") }
  }

  /// Whether a file has JSON: a brace, or a bracket and a quote. A name may begin with a bracket.
  private static func isJSON(_ bytes: [UInt8]) -> Bool {
    var isArray = false
    for byte in bytes where byte > 0x20 {
      if isArray { return byte == UInt8(ascii: "\"") }
      guard byte == UInt8(ascii: "[") else { return byte == UInt8(ascii: "{") }
      isArray = true
    }
    return false
  }

  private static func lines(_ file: TextFile) throws(VDSQError) -> [Label] {
    var labels: [Label] = []
    try file.forEachLine { (line, number) throws(VDSQError) in
      let context = "\(file.path): line \(number)"
      guard let first = line.first(where: { $0 > 0x20 }) else { return }
      if first == UInt8(ascii: "#") {
        let rest = line.drop { $0 <= 0x20 }.dropFirst()
        guard let next = rest.first, next > 0x20, next != first else { return }
        throw .badInput(
          "\(context): a comment begins with # and a space; a label that begins with # needs JSON")
      }
      guard line.withUnsafeBytes({ UTF8Decoder.replacements(in: $0) }) == 0 else {
        throw .badInput("\(context): not UTF-8")
      }
      do throws(VDSQError) {
        labels.append(try Label.parse(line: String(decoding: line, as: UTF8.self)))
      } catch { throw .badInput("\(context): \(error.message)") }
    }
    return labels
  }

  private static func json(_ file: TextFile) throws(VDSQError) -> [Label] {
    guard file.bytes.withUnsafeBytes({ UTF8Decoder.replacements(in: $0) }) == 0 else {
      throw .badInput("\(file.path): not UTF-8")
    }
    do throws(VDSQError) {
      return try file.bytes.withBytes { (bytes) throws(VDSQError) in
        var scanner = JSONScanner(bytes)
        let labels =
          try scanner.peek() == UInt8(ascii: "[") ? names(&scanner) : members(&scanner)
        try scanner.end()
        return labels
      }
    } catch { throw error.within(file.path) }
  }

  private static func names(_ scanner: inout JSONScanner) throws(VDSQError) -> [Label] {
    var labels: [Label] = []
    try scanner.elements { (scanner) throws(VDSQError) in
      let value = try scanner.value()
      guard value.kind == .string else { throw .badInput("a label is no text") }
      labels.append(Label(name: try text(value.range, scanner)))
    }
    return labels
  }

  private static func members(_ scanner: inout JSONScanner) throws(VDSQError) -> [Label] {
    var labels: [Label] = []
    try scanner.members { (scanner, key) throws(VDSQError) in
      let name = try text(key, scanner)
      var words: [String] = []
      func read(_ scanner: inout JSONScanner) throws(VDSQError) {
        let value = try scanner.value()
        guard value.kind == .string, !value.range.isEmpty else {
          throw .badInput("label \(name) has a word that is no text")
        }
        words.append(try text(value.range, scanner))
      }
      if scanner.peek() == UInt8(ascii: "[") {
        try scanner.elements { (scanner) throws(VDSQError) in try read(&scanner) }
      } else {
        try read(&scanner)
      }
      labels.append(Label(name: name, words: words))
    }
    return labels
  }

  private static func text(
    _ range: Range<Int>, _ scanner: JSONScanner
  ) throws(VDSQError) -> String {
    var bytes: [UInt8] = []
    guard scanner.decode(range, into: &bytes) == 0 else {
      throw .badInput("a label or a word has half of a surrogate pair")
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
