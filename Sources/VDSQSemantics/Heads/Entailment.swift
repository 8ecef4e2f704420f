package import VDSQFormat
import VDSQInference

/// Zero-shot classification by a model of natural language inference (Yin et al. 2019): a label is
/// right as far as its hypothesis follows from the text.
package struct Entailment: Sendable {
  /// The template of transformers' pipeline.
  package static let usualTemplate = "This example is {}."

  /// The sentence of each label, in UTF-8.
  package let hypotheses: [[UInt8]]
  /// Whether each label is right or wrong by itself.
  package let isMultiLabel: Bool
  private let head: ModelHead
  private let entailment: Int
  private let contradiction: Int

  /// - Parameters:
  ///   - labels: only their names count.
  ///   - template: the template around a name; nil for `usualTemplate`.
  ///   - isMultiLabel: whether entailment is compared with contradiction, label by label. One label
  ///     alone is always compared so.
  /// - Throws: `usage` if the head is none of language inference, or the template goes around
  ///   texts.
  package init(
    _ labels: [Label], head: ModelHead, template: Template?, isMultiLabel: Bool, path: String
  ) throws(VDSQError) {
    let names = head.description.labels
    guard let entailment = names.firstIndex(where: { Self.begins($0, "entail") }), names.count > 1
    else {
      throw .usage("\(path): no label of the model's head is entailment")
    }
    guard !(template?.aroundTexts ?? false) else {
      throw .usage("hypotheses need a template around label names, with {} in it", .template)
    }
    let template = if let template { template } else { try Template(Self.usualTemplate) }
    var hypotheses: [[UInt8]] = []
    for label in labels {
      let isPlain = label.words.allSatisfy { $0.utf8.elementsEqual(label.name.utf8) }
      guard isPlain else {
        throw .usage("labels: \(label.name) has words; a hypothesis is made of the name alone")
      }
      var filled: [UInt8] = []
      let name = Array(label.name.utf8)
      name.withUnsafeBytes { template.fill($0, into: &filled) }
      hypotheses.append(filled)
    }
    self.hypotheses = hypotheses
    self.isMultiLabel = isMultiLabel || labels.count == 1
    self.head = head
    self.entailment = entailment
    // Without a label of that name, transformers takes the first one, or the last one.
    contradiction =
      names.firstIndex { Self.begins($0, "contra") } ?? (entailment == 0 ? names.count - 1 : 0)
  }

  /// Whether a text begins with lower-case ASCII letters, whatever its case.
  private static func begins(_ text: String, _ start: StaticString) -> Bool {
    start.withUTF8Buffer { start in
      var matched = 0
      for byte in text.utf8 {
        guard matched < start.count else { break }
        guard byte | 0x20 == start[matched] else { return false }
        matched += 1
      }
      return matched == start.count
    }
  }

  /// Floats of scratch memory that `logit` needs.
  package var scratchCount: Int { head.scratchCount + head.description.labels.count }

  /// The logit of entailment of a pair's state; less that of contradiction if labels are right or
  /// wrong by themselves.
  package func logit(
    _ state: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) -> Float {
    let logits = scratch + head.scratchCount
    head.logits(state, scratch: scratch, into: logits)
    return isMultiLabel ? logits[entailment] - logits[contradiction] : logits[entailment]
  }

  /// What makes probabilities of the labels' logits.
  var function: OutputHead.Function { isMultiLabel ? .sigmoid : .softmax }
}
