import VDSQFormat
import VDSQStreams

/// The origin of a container's contents: the files of the checkpoint with their SHA-256, and the
/// options of the conversion. A model stores it as JSON.
///
/// Nothing depends on the time or the place of the conversion: the same input gives the same bytes.
package struct Provenance: Sendable {
  /// A file of the checkpoint.
  package struct SourceFile: Sendable {
    /// Its path within the checkpoint.
    package let name: String
    /// Its length.
    package let bytes: Int
    /// 64 hexadecimal digits.
    package let sha256: String

    package init(name: String, bytes: Int, sha256: String) {
      (self.name, self.bytes, self.sha256) = (name, bytes, sha256)
    }
  }

  /// The type of the weights: int8, fp16 or fp32.
  let weights: String
  /// Rules for tensors of another type.
  let keep: [String]
  /// Patterns of tensors that were left out as asked.
  let ignored: [String]
  /// The columns of a group; nil for a single scale per row.
  let groupSize: Int?
  /// Whether sections are compressed.
  let compress: Bool
  /// The model's name in its configuration.
  let model: String
  /// Bytes of the checkpoint's weights.
  let checkpointBytes: Int
  let files: [SourceFile]

  package init(
    weights: String, keep: [String], ignored: [String] = [], groupSize: Int?, compress: Bool,
    model: String,
    checkpointBytes: Int, files: [SourceFile]
  ) {
    self.weights = weights
    self.keep = keep
    self.ignored = ignored
    self.groupSize = groupSize
    self.compress = compress
    self.model = model
    self.checkpointBytes = checkpointBytes
    self.files = files
  }

  /// The JSON form that a model stores. Options with default values are omitted.
  package var json: String {
    JSONWriter.string { json in
      json.object {
        json.member("tool", "vdsq")
        json.member("version", Release.version)
        json.member("weights", weights)
        if !keep.isEmpty { json.member("keep", keep) }
        if !ignored.isEmpty { json.member("ignore", ignored) }
        if let groupSize { json.member("group_size", groupSize) }
        if compress { json.member("compress", true) }
        json.member("model", model)
        json.member("checkpoint_bytes", checkpointBytes)
        json.key("files")
        json.array {
          for file in files {
            json.object {
              json.member("name", file.name)
              json.member("bytes", file.bytes)
              json.member("sha256", file.sha256)
            }
          }
        }
      }
    }
  }
}
