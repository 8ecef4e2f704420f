import VDSQ
import VDSQFiles
package import VDSQFormat
package import VDSQInference
import VDSQKernels
package import VDSQSemantics
package import VDSQStreams
import VDSQTokenizers

/// What `vdsq logits` writes of each state.
package struct LogitsRequest {
  /// The bases that states are compared with.
  package var bases = BasesChoice.own
  /// The number of tokens or labels of a line.
  package var top = 10
  /// The softmax temperature of cosines; nil for that of the bases, or
  /// `Classifier.defaultTemperature`.
  package var temperature: Float?
  /// Whether the logits of the LM head are added.
  package var entangled = false
  /// The token, by its text or id, for whose loss the gradient is written.
  package var gradient: String?
  /// Labels instead of tokens.
  package var labels: String?
  /// A .npy file for the values of all tokens.
  package var scores: String?
  /// Whether that file may be replaced.
  package var replaces = false
  /// Directions that are added to the states of a layer of the texts.
  package var steering = SteeringDirections()
  /// Whether lines are JSON.
  package var json = false
  /// Threads of a search without a model.
  package var threads = 1
  /// Called with a line for a person if the name of a token is ambiguous.
  package var onNote: (String) -> Void = { _ in }

  /// The ten closest tokens of each state.
  package init() {}

  /// The writer of the lines.
  ///
  /// - Parameters:
  ///   - file: the model or the bases.
  ///   - encoder: the model; nil for bases. Steered from now on, if there are directions.
  /// - Throws: `badInput` if the file has no bases, or none of the model's dimensions, or no LM
  ///   head that is wanted; `usage` for an unknown token, label, direction, or output file.
  package func writer(
    _ file: Container, _ encoder: TextEncoder?, _ output: OutputBuffer
  ) throws(VDSQError) -> LogitsWriter {
    let kernels = if let encoder { encoder.kernels } else { try KernelTable.select() }
    let rows = try VocabularyRows(bases, of: file, kernels)
    let threads = encoder?.threads ?? ThreadPool(count: threads)
    func lookup(_ rows: VocabularyRows) -> VocabularyLogits {
      guard let encoder else {
        return VocabularyLogits(rows: rows, kernels: kernels, threads: threads, capacity: top)
      }
      return VocabularyLogits(rows: rows, encoder: encoder, capacity: top)
    }
    let tokenizer =
      if let encoder { Optional(encoder.tokenizer) } else { try Tokenizer(of: file) }
    if let encoder, encoder.dimensions != rows.dimensions {
      throw .badInput("\(file.path): bases of another size than the model's states")
    }
    let writer = LogitsWriter(
      rows: rows, tokenizer: tokenizer,
      temperature: temperature ?? rows.temperature ?? Classifier.defaultTemperature, json: json,
      output: output, logits: lookup(rows))
    if entangled { writer.head = lookup(try VocabularyRows(head: file)) }
    if let gradient {
      let target = try NamedToken(
        gradient, tokenizer: tokenizer, count: rows.count, option: "--gradient")
      if let note = target.note { onNote(note) }
      writer.target = target.id
    }
    if let labels {
      let parsed = try Label.parse(list: labels)
      let set: LabelSet
      if let encoder, encoder.kind == .sentences, bases == .own {
        set = try LabelSet(parsed, encoder: encoder, template: nil)
      } else if let tokenizer {
        set = try LabelSet(parsed, bases: rows, tokenizer: tokenizer, kernels: kernels)
      } else {
        throw .usage("--labels: \(file.path) does not know the tokens' texts")
      }
      writer.top = top
      writer.classifier = try Classifier(labels: set, temperature: temperature, kernels: kernels)
    }
    if !steering.isEmpty {
      guard let encoder else { throw .usage("steering changes states of texts; give a model") }
      try encoder.steer(steering, bases: rows, onNote: onNote)
    }
    if let scores { try writer.keepScores(in: scores, replace: replaces) }
    return writer
  }
}
