package import VDSQConversion
import VDSQFormat
package import VDSQStreams

/// The report of a conversion.
package struct ConversionReport: Report {
  /// The number of tensors in the table.
  private static let shown = 10

  let summary: Converter.Summary
  /// The file that was written.
  let output: String
  /// The duration.
  let seconds: Double
  /// The process's peak resident set; nil if the system does not report it.
  let peakBytes: Int?

  package init(summary: Converter.Summary, output: String, seconds: Double, peakBytes: Int?) {
    self.summary = summary
    self.output = output
    self.seconds = seconds
    self.peakBytes = peakBytes
  }

  /// Tensors with a storage error, the largest error first.
  private var changed: [TensorRecord] {
    summary.tensors.filter { $0.error.maxAbs > 0 }.sorted { $0.error.cosine < $1.error.cosine }
  }

  /// How many tensors were left out, and some of each kind.
  private var leftOut: String {
    let kinds = LeftOutTensor.Kind.allCases.compactMap { kind -> String? in
      let names = summary.leftOut.filter { $0.kind == kind }.map(\.name)
      guard !names.isEmpty else { return nil }
      let more = names.count > 3 ? " and \(names.count - 3) more" : ""
      return "\(kind.rawValue) (\(names.prefix(3).joined(separator: ", "))\(more))"
    }
    let count = summary.leftOut.count == 1 ? "a tensor" : "\(summary.leftOut.count) tensors"
    return "left out \(count) that the model has no use for: \(kinds.joined(separator: "; "))"
  }

  private var compressed: [Section] { summary.sections.filter { $0.encoding == .lz4 } }

  private var grouped: Int { summary.tensors.count { $0.element == .int8 && $0.groups != nil } }

  private var share: Double {
    Double(summary.fileBytes) / Double(max(1, summary.checkpointBytes)) * 100
  }

  package var text: String {
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
            + errorColumns(tensor.error))
      }
      if changed.count > Self.shown {
        lines.append("and \(changed.count - Self.shown) more; vdsq inspect lists them")
      }
    }
    if grouped > 0 { lines.append("\(grouped) linear layers gain from groups of columns") }
    if let labels = summary.headLabels {
      let shown = labels.prefix(Self.shown).joined(separator: ", ")
      let more = labels.count > Self.shown ? " and \(labels.count - Self.shown) more" : ""
      lines.append("trained head for \(shown)\(more)")
    }
    if let bases = summary.bases {
      lines.append(
        bases.method == .balanced
          ? "vocabulary bases of \(bases.rows) tokens: balanced, temperature "
            + significant(bases.temperature ?? 1)
          : "vocabulary bases of \(bases.rows) tokens: condition number "
            + "\(significant(bases.condition)), rank \(bases.rank) of \(bases.columns)")
    }
    if !compressed.isEmpty {
      let saved = compressed.reduce(0) { $0 + $1.rawLength - $1.length }
      lines.append(
        "LZ4 saves \(mebibytes(saved)) in \(compressed.count) of \(summary.sections.count) sections; "
          + "the others are stored as they are")
    }
    if !summary.unused.isEmpty {
      lines.append(leftOut)
    }
    let peak = peakBytes.map { ", peak RSS \(mebibytes($0))" } ?? ""
    lines.append("\(fixed(seconds, 2)) s\(peak)")
    return lines.joined(separator: "\n")
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("output", output)
      json.member("checkpoint_bytes", summary.checkpointBytes)
      json.member("bytes", summary.fileBytes)
      json.member("seconds", seconds, decimals: 3)
      json.member("peak_bytes", peakBytes)
      json.key("bases")
      if let bases = summary.bases {
        json.object {
          json.member("rows", bases.rows)
          json.member("condition", bases.condition)
          json.member("rank", bases.rank)
        }
      } else {
        json.null()
      }
      json.member("unused", summary.unused)
      json.key("sections")
      json.array {
        for section in summary.sections {
          json.object {
            json.member("name", section.name)
            json.member("bytes", section.length)
            json.member("decoded_bytes", section.rawLength)
          }
        }
      }
      json.key("tensors")
      json.array {
        for tensor in changed {
          json.object {
            json.member("name", tensor.name)
            json.member("type", tensor.element.name)
            json.member("group_size", tensor.groups?.length)
            json.members(of: tensor.error)
          }
        }
      }
    }
  }
}
