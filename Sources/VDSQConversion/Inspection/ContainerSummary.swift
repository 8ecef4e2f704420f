import VDSQCheckpoints
package import VDSQFormat

/// The contents of a container, without its weights.
package struct ContainerSummary: Sendable {
  /// A file of the checkpoint that a model was made from.
  package struct SourceFile: Sendable, Equatable {
    package let name: String
    /// 64 hexadecimal digits.
    package let sha256: String
  }

  package let path: String
  /// The file's length.
  package let bytes: Int
  package let metadata: [(key: String, value: Metadata.Value)]
  package let sections: [Section]
  package let tensors: [TensorRecord]
  /// The provenance as stored JSON; nil if the file is not a model.
  package let provenance: String?
  /// The size of the checkpoint's weights in bytes; 0 if it is unknown.
  package let checkpointBytes: Int
  /// The checkpoint's files; empty if they are unknown.
  package let sources: [SourceFile]

  /// - Throws: `badInput` if a model's provenance is not JSON.
  package init(_ container: Container) throws(VDSQError) {
    path = container.path
    bytes = container.header.fileLength
    metadata = container.metadata.entries.map { ($0.key, $0.value) }
    sections = container.sections
    tensors = container.tensors
    guard container.header.kind == .model else {
      (provenance, checkpointBytes, sources) = (nil, 0, [])
      return
    }
    let stored = try container.bytes(of: .provenance)
    let json = try JSON(parsing: stored, context: "\(container.path): provenance")
    provenance = String(decoding: stored, as: UTF8.self)
    checkpointBytes = json["checkpoint_bytes"]?.integer ?? 0
    sources = (json["files"]?.elements ?? []).map {
      SourceFile(name: $0["name"]?.text ?? "", sha256: $0["sha256"]?.text ?? "")
    }
  }
}

extension TensorRecord {
  /// The bytes of a tensor in the file: data, scales, row sums, factors and zero points of groups.
  package var storedBytes: Int {
    let scales = element.hasScales ? storedRows * 4 : 0
    let sums = element.hasScales && order.isPanels ? storedRows * 4 : 0
    // Rows with groups have theirs among the data.
    let factors =
      order == .groups16 ? groups?.bytes(storedRows: storedRows, columns: columns) ?? 0 : 0
    return dataLength + scales + sums + factors + (element == .int4 ? factors / 2 : 0)
  }
}
