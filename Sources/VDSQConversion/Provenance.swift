public import VDSQCheckpoints
import VDSQFiles
public import VDSQFormat

/// The origin of a container's contents as JSON: source files with their SHA-256, the tool and its
/// arguments.
public enum Provenance {
  public static let toolVersion = "0.1.0"

  /// Nothing depends on the time or the place of the conversion: the same input gives the same
  /// bytes.
  ///
  /// - Parameter isWanted: called from time to time. If it returns false, the result is empty.
  static func json(
    _ folder: Checkpoint, options: Converter.Options, isWanted: () -> Bool = { true }
  ) throws(VDSQError) -> [UInt8] {
    var files: [String] = []
    for name in folder.files {
      let file = try InputFile(path: folder.location(of: name))
      let digest = try sha256(file, isWanted)
      guard isWanted() else { return [] }
      files.append(
        "{\"name\": \(quoted(name)), \"bytes\": \(file.length), \"sha256\": \"\(digest)\"}")
    }
    let name = folder.config["_name_or_path"]?.text ?? ""
    return Array(
      """
      {"tool": "vdsq", "version": "\(toolVersion)", "weights": "\(options.weights.rawValue)", \
      \(arguments(options))"model": \(quoted(name)), "checkpoint_bytes": \(folder.weightBytes), \
      "files": [\(files.joined(separator: ", "))]}
      """.utf8)
  }

  /// Other options that change the contents of the file, if they differ from the defaults.
  private static func arguments(_ options: Converter.Options) -> String {
    var members: [String] = []
    if !options.keep.isEmpty {
      let rules = options.keep.map { quoted($0.text) }.joined(separator: ", ")
      members.append("\"keep\": [\(rules)]")
    }
    if let groups = options.groups { members.append("\"group_size\": \(groups)") }
    if options.compress { members.append("\"compress\": true") }
    return members.map { $0 + ", " }.joined()
  }

  private static func sha256(
    _ file: InputFile, _ isWanted: () -> Bool = { true }
  ) throws(VDSQError) -> String {
    var hash = SHA256()
    var offset = 0
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while offset < file.length, isWanted() {
      let count = min(buffer.count, file.length - offset)
      try buffer.withMutableBytes { (raw) throws(VDSQError) in
        let chunk = UnsafeMutableRawBufferPointer(rebasing: raw[..<count])
        try file.read(into: chunk, at: offset)
        hash.update(UnsafeRawBufferPointer(chunk))
      }
      offset += count
    }
    let digits = Array("0123456789abcdef")
    return String(hash.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }

  /// A JSON string literal.
  public static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": out += "\\\(scalar)"
      case "\n": out += "\\n"
      case "\u{0}"..<"\u{20}":
        let hex = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}

extension Provenance {
  /// Whether a model was made from the files of a checkpoint, according to their SHA-256.
  public static func matches(
    _ model: Container, _ checkpoint: Checkpoint
  ) throws(VDSQError) -> Bool {
    let json = try JSON(
      parsing: try model.bytes(of: .provenance), context: "\(model.path): provenance")
    let stored = (json["files"]?.elements ?? []).map { $0["sha256"]?.text ?? "" }
    var digests: [String] = []
    for name in checkpoint.files {
      digests.append(try sha256(try InputFile(path: checkpoint.location(of: name))))
    }
    return Set(stored) == Set(digests)
  }
}
