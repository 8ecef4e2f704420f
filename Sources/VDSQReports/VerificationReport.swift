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
      "cosine       of the texts' states: mean \(fixed(fidelity.mean, 5)), least \(fixed(fidelity.least!.cosine, 5))",
    ]
    if let share = fidelity.sameTokenShare, let overlap = fidelity.overlap {
      lines.append(
        "likeliest    the same token for \(fixed(share * 100, 1))% of the texts, by the logits of "
          + "the head; of the ten likeliest \(fixed(overlap * 100, 1))% are shared")
    }
    if let tokens = fidelity.tokens {
      lines.append(
        "predictions  \(fixed(tokens.sameShare * 100, 1))% of \(tokens.predictions) have the same "
          + "likeliest token; KL divergence of the head's probabilities "
          + "\(fixed(tokens.divergence, 4)) nats")
      if let perplexity = tokens.perplexity {
        lines.append(
          "perplexity   \(fixed(perplexity.model, 3)), of the checkpoint "
            + fixed(perplexity.reference, 3))
      }
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
      json.key("predictions")
      if let tokens = fidelity.tokens {
        json.object {
          json.member("score", "head logits")
          json.member("count", tokens.predictions)
          json.member("same_likeliest_token", tokens.sameShare)
          json.member("kl_divergence", tokens.divergence)
          json.member("perplexity", tokens.perplexity?.model)
          json.member("reference_perplexity", tokens.perplexity?.reference)
        }
      } else {
        json.null()
      }
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
