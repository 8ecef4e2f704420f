import VDSQConversion
import VDSQFormat
import VDSQInference

/// The summary of a conversion, as a table or as JSON.
struct ConversionSummary {
  /// The number of tensors in the table.
  private static let shown = 10

  let summary: Converter.Summary
  let output: String
  let seconds: Double

  /// Tensors with a storage error, the largest error first.
  private var changed: [TensorRecord] {
    summary.tensors.filter { $0.error.maxAbs > 0 }.sorted { $0.error.cosine < $1.error.cosine }
  }

  private var compressed: [Section] { summary.sections.filter { $0.encoding == .lz4 } }

  private var grouped: Int { summary.tensors.count { $0.groups != nil } }

  private var share: Double {
    Double(summary.fileBytes) / Double(max(1, summary.checkpointBytes)) * 100
  }

  var table: String {
    var lines = [
      "\(output): \(mebibytes(summary.fileBytes)), \(fixed(share, 1))% of the checkpoint's "
        + mebibytes(summary.checkpointBytes)
    ]
    let changed = changed
    if !changed.isEmpty {
      lines.append(
        "\(padded("least faithful tensors", 36)) \(padded("type", 5)) \(rightAligned("max abs", 10)) "
          + "\(rightAligned("rms", 10)) \(rightAligned("cosine", 10))")
      for tensor in changed.prefix(Self.shown) {
        lines.append(
          "\(padded(tensor.name, 36)) \(padded("\(tensor.element.name)", 5)) "
            + "\(rightAligned(significant(Double(tensor.error.maxAbs)), 10)) "
            + "\(rightAligned(significant(Double(tensor.error.rms)), 10)) "
            + rightAligned(fixed(Double(tensor.error.cosine), 6), 10))
      }
      if changed.count > Self.shown {
        lines.append("and \(changed.count - Self.shown) more; vdsq inspect lists them")
      }
    }
    if grouped > 0 { lines.append("\(grouped) linear layers gain from groups of columns") }
    if let bases = summary.bases {
      lines.append(
        "vocabulary bases of \(bases.rows) tokens: condition number "
          + "\(significant(bases.condition)), rank \(bases.rank) of \(bases.columns)")
    }
    if !compressed.isEmpty {
      let saved = compressed.reduce(0) { $0 + $1.rawLength - $1.length }
      lines.append(
        "LZ4 saves \(mebibytes(saved)) in \(compressed.count) of \(summary.sections.count) sections; "
          + "the others are stored as they are")
    }
    if !summary.unused.isEmpty {
      lines.append(
        "left out, as the model has no use for them: \(summary.unused.joined(separator: ", "))")
    }
    let peak = ProcessMemory.peakResidentBytes().map { ", peak RSS \(mebibytes($0))" } ?? ""
    lines.append("\(fixed(seconds, 2)) s\(peak)")
    return lines.joined(separator: "\n")
  }

  var json: String {
    let tensors = changed.map {
      "{\"name\": \(Provenance.quoted($0.name)), \"type\": \"\($0.element.name)\", "
        + "\"group_size\": \($0.groups.map { "\($0.length)" } ?? "null"), "
        + "\"max_abs\": \($0.error.maxAbs), \"rms\": \($0.error.rms), \"cosine\": \($0.error.cosine)}"
    }
    let sections = summary.sections.map {
      "{\"name\": \(Provenance.quoted($0.name)), \"bytes\": \($0.length), "
        + "\"decoded_bytes\": \($0.rawLength)}"
    }
    let unused = summary.unused.map { Provenance.quoted($0) }.joined(separator: ", ")
    let bases = summary.bases.map {
      "{\"rows\": \($0.rows), \"condition\": \($0.condition), \"rank\": \($0.rank)}"
    }
    return """
      {"output": \(Provenance.quoted(output)), "checkpoint_bytes": \(summary.checkpointBytes), \
      "bytes": \(summary.fileBytes), "seconds": \(fixed(seconds, 3)), \
      "peak_bytes": \(ProcessMemory.peakResidentBytes() ?? 0), "bases": \(bases ?? "null"), \
      "unused": [\(unused)], "sections": [\(sections.joined(separator: ", "))], \
      "tensors": [\(tensors.joined(separator: ", "))]}
      """
  }
}
