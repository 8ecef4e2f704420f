import VDSQFormat
package import VDSQMeasurement
package import VDSQStreams

/// The report of `vdsq verify`.
package struct VerificationReport: Report {
  /// The number of texts in the table.
  private static let shown = 5

  let verification: Verification
  /// The paths of both.
  let model: String
  let checkpoint: String

  package init(_ verification: Verification, model: String, checkpoint: String) {
    self.verification = verification
    self.model = model
    self.checkpoint = checkpoint
  }

  private var fidelity: Fidelity { verification.fidelity }

  package var text: String {
    var lines = [
      "checksums    all match",
      "made from    "
        + (verification.isSource
          ? "these files" : "other files than these (their SHA-256 differ)"),
      "tokens       " + (fidelity.sameTokens ? "the same" : "not the same") + " of all "
        + counted(fidelity.texts.count, "text"),
      "cosine       mean \(fixed(fidelity.mean, 5)), least \(fixed(fidelity.least!.cosine, 5))",
    ]
    if let share = fidelity.sameTokenShare, let overlap = fidelity.overlap {
      lines.append(
        "likeliest    the same token for \(fixed(share * 100, 1))% of the texts; of the ten "
          + "likeliest \(fixed(overlap * 100, 1))% are shared")
    }
    lines.append("\n\(rightAligned("cosine", 8))  least faithful texts")
    for text in fidelity.texts.sorted(by: { $0.cosine < $1.cosine }).prefix(Self.shown) {
      lines.append("\(rightAligned(fixed(text.cosine, 5), 8))  \(text.text.prefix(80))")
    }
    return lines.joined(separator: "\n")
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("model", model)
      json.member("against", checkpoint)
      json.member("verified", true)
      json.member("made_from_these_files", verification.isSource)
      json.member("same_tokens", fidelity.sameTokens)
      json.member("cosine_mean", fidelity.mean)
      json.member("cosine_min", fidelity.least!.cosine)
      json.member("same_likeliest_token", fidelity.sameTokenShare)
      json.member("top10_overlap", fidelity.overlap)
      json.key("texts")
      json.array {
        for text in fidelity.texts {
          json.object {
            json.member("text", text.text)
            json.member("cosine", text.cosine)
            json.member("same_token", text.sameToken)
            json.member("top10_overlap", text.overlap)
          }
        }
      }
    }
  }
}
