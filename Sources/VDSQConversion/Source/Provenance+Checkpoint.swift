package import VDSQCheckpoints
import VDSQFiles
package import VDSQFormat

extension Provenance {
  /// The provenance of a conversion: hashes all files of the checkpoint.
  ///
  /// - Parameter isWanted: asked now and then; if it says no, the result is nil.
  init?(
    _ checkpoint: Checkpoint, options: Converter.Options, isWanted: () -> Bool
  ) throws(VDSQError) {
    var files: [SourceFile] = []
    for name in checkpoint.files {
      let file = try InputFile(path: checkpoint.location(of: name))
      let digest = try sha256(of: file, isWanted)
      guard isWanted() else { return nil }
      files.append(SourceFile(name: name, bytes: file.length, sha256: digest))
    }
    self.init(
      weights: options.weights.rawValue, keep: options.keep.map(\.text),
      ignored: options.ignored,
      groupSize: options.groups, compress: options.compress,
      model: checkpoint.config["_name_or_path"]?.text ?? "",
      checkpointBytes: checkpoint.weightBytes, files: files)
  }

  /// Whether a model was made from a checkpoint's files, by their SHA-256.
  ///
  /// - Throws: `badInput` if the model's provenance is not JSON; `missingInput` if a file cannot be
  ///   read.
  package static func matches(
    _ model: Container, _ checkpoint: Checkpoint
  ) throws(VDSQError) -> Bool {
    let json = try JSON(
      parsing: try model.bytes(of: .provenance), context: "\(model.path): provenance")
    let stored = (json["files"]?.elements ?? []).map { $0["sha256"]?.text ?? "" }
    var digests: [String] = []
    for name in checkpoint.files {
      digests.append(try sha256(of: try InputFile(path: checkpoint.location(of: name))) { true })
    }
    return Set(stored) == Set(digests)
  }
}

/// The SHA-256 of a file as 64 hexadecimal digits; of less than the file once it is not wanted.
private func sha256(of file: InputFile, _ isWanted: () -> Bool) throws(VDSQError) -> String {
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
  return hash.finalize().map { hexadecimal(UInt32($0), digits: 2) }.joined()
}
