package import VDSQConversion
import VDSQFiles
import VDSQFormat
package import VDSQStreams

/// The report of `vdsq inspect`.
package struct ContainerReport: Report {
  let summary: ContainerSummary
  /// Whether all checksums were compared, and match.
  let isVerified: Bool

  package init(_ summary: ContainerSummary, isVerified: Bool) {
    self.summary = summary
    self.isVerified = isVerified
  }

  package var text: String {
    var lines = [summary.path]
    lines += summary.metadata.map { "  \(padded($0.key, 20)) \($0.value.text)" }
    lines += summary.sources.map { "  \(padded("source", 20)) \($0.name) sha256 \($0.sha256)" }
    lines.append(
      "\n\(padded("section", 16)) \(padded("kind", 12)) \(rightAligned("bytes", 12)) crc32")
    lines += summary.sections.map(line)
    lines.append(
      "\n\(padded("tensor", 36)) \(padded("type", 5)) \(padded("order", 9)) "
        + "\(padded("shape", 14)) \(rightAligned("bytes", 10)) \(rightAligned("max abs", 10)) "
        + "\(rightAligned("rms", 10)) \(rightAligned("cosine", 10))")
    lines += summary.tensors.map(line)
    let share = Double(summary.bytes) / Double(max(1, summary.checkpointBytes)) * 100
    lines.append(
      "\n\(counted(summary.tensors.count, "tensor")), \(summary.bytes) bytes"
        + (summary.checkpointBytes > 0
          ? ", \(fixed(share, 1))% of the checkpoint's \(summary.checkpointBytes)" : ""))
    if isVerified { lines.append("all \(summary.sections.count) checksums match") }
    return lines.joined(separator: "\n")
  }

  private func line(_ section: Section) -> String {
    "\(padded(section.name, 16)) \(padded("\(section.kind.name)", 12)) "
      + "\(rightAligned("\(section.length)", 12)) \(hexadecimal(section.checksum, digits: 8))"
      + (section.encoding == .lz4 ? "  LZ4, \(section.rawLength) decoded" : "")
  }

  private func line(_ tensor: TensorRecord) -> String {
    let shape = tensor.shape.map(String.init).joined(separator: " x ")
    return "\(padded(tensor.name, 36)) \(padded("\(tensor.element.name)", 5)) "
      + "\(padded("\(tensor.order.name)", 9)) \(padded(shape, 14)) "
      + "\(rightAligned("\(tensor.storedBytes)", 10)) \(errorColumns(tensor.error))"
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("file", summary.path)
      json.member("format_version", Int(ContainerLayout.version))
      json.member("bytes", summary.bytes)
      json.member("checkpoint_bytes", summary.checkpointBytes)
      json.member("verified", isVerified)
      json.key("metadata")
      json.object { for (key, value) in summary.metadata { write(key, value, to: json) } }
      json.key("provenance")
      if let provenance = summary.provenance { json.write(json: provenance) } else { json.null() }
      json.key("sections")
      json.array { for section in summary.sections { write(section, to: json) } }
      json.key("tensors")
      json.array { for tensor in summary.tensors { write(tensor, to: json) } }
    }
  }

  private func write(_ key: String, _ value: Metadata.Value, to json: JSONWriter) {
    switch value {
    case .integer(let number): json.member(key, Int(number))
    case .number(let number): json.member(key, number)
    case .text(let text): json.member(key, text)
    }
  }

  private func write(_ section: Section, to json: JSONWriter) {
    json.object {
      json.member("name", section.name)
      json.member("kind", section.kind.name)
      json.member("offset", section.offset)
      json.member("bytes", section.length)
      json.member("decoded_bytes", section.rawLength)
      json.member("crc32", hexadecimal(section.checksum, digits: 8))
    }
  }

  private func write(_ tensor: TensorRecord, to json: JSONWriter) {
    json.object {
      json.member("name", tensor.name)
      json.member("type", tensor.element.name)
      json.member("order", tensor.order.name)
      json.member("shape", tensor.shape)
      json.member("bytes", tensor.storedBytes)
      json.member("section", summary.sections[tensor.section].name)
      json.member("group_size", tensor.groups?.length)
      json.key("error")
      json.object { json.members(of: tensor.error) }
    }
  }
}
