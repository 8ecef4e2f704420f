import ArgumentParser
import Glibc
import VDSQFormat
import VDSQInference
import VDSQReports
import VDSQSemantics
import VDSQStreams
import VDSQTraining

struct Learn: Command {
  static let configuration = CommandConfiguration(
    abstract: "Learns one example after another, and can undo it.",
    discussion: """
      Starts an adapter with --labels or --labels-file if it does not exist. Reads examples from \
      standard input: texts of one label, one per line, with --label, otherwise JSON Lines: \
      {"text": "...", "label": "..."}. The adapter is replaced after each example, so a kill loses \
      at most one. A running vdsq classify or vdsq-run uses the new adapter from the next text on. \
      Memory and file size do not depend on the number of examples; texts are not stored.

      For each example, writes the number of examples, its label, and the previous answer with its \
      probability.
      """)

  @Argument(help: "The .vdsq file.", completion: .file())
  var model: String

  @Argument(
    help: "The adapter; created if it does not exist, replaced after each example.",
    completion: .file())
  var adapter: String

  @Option(help: "The label of all texts on standard input.")
  var label: String?

  @Option(help: "Labels to start with, as for classify: a,b,c or \"a=word,word phrase;b\".")
  var labels: String?

  @Option(help: "A file of labels to start with.", completion: .file())
  var labelsFile: String?

  @Option(help: "The label of texts that belong to no other; its name is not used as a word.")
  var outOfScope: String?

  @Option(help: "Labels to add.")
  var addLabels: String?

  @Option(help: "Forget a label and all its examples.")
  var forget: String?

  @Flag(help: "Undo the last example; up to \(OnlineDiscriminant.undoable) times in a row.")
  var undo = false

  @Option(help: "A template around label words or around texts, as for classify; to start with.")
  var template: String?

  @OptionGroup var fields: ExampleFieldOptions

  @Flag(help: "Write one JSON object per example.")
  var json = false

  @OptionGroup var encoding: EncoderOptions

  @Flag(name: .shortAndLong, help: "Write no results.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(inputs: [model, labelsFile], outputs: [adapter], readsStandardInput: true)
  }

  func validate() throws {
    guard adapter != "-" else {
      throw ValidationError("the adapter is replaced after each example; name a file")
    }
    let changes = [undo, forget != nil].filter { $0 }.count
    guard changes <= 1, changes == 0 || (label == nil && addLabels == nil && labels == nil) else {
      throw ValidationError("--undo and --forget go alone")
    }
  }

  func execute() throws(VDSQError) {
    let file = try Container(path: model, kind: .model, decoding: .noWeights)
    let d = try Architecture(file.metadata).hiddenSize
    // The scatter, and copies of it while it is changed, factored and written.
    let encoder = try encoding.encoder(model, more: 10 * 4 * d * d)
    let learner = OnlineLearner(path: adapter, encoder: encoder)
    let begun = try beginning(encoder)
    if let begun { try learner.begin(begun) }
    if undo {
      let name = try learner.undo()
      return try report("one of \(name)", learner, "undone", name)
    }
    if let forget {
      try learner.forget(forget, context: "--forget")
      return try report(forget, learner, "forgotten", forget)
    }
    if let addLabels {
      for label in try Label.parse(list: addLabels) {
        try learner.add(
          try LabelSet([label], encoder: encoder, template: try learner.template()))
      }
    }
    // If only labels were given, do not wait for input on a terminal.
    if (addLabels != nil || begun != nil) && label == nil && isatty(0) == 1 { return }
    try learn(learner)
  }

  private func parsedTemplate() throws(VDSQError) -> Template? {
    guard let template else { return nil }
    return try Template(template)
  }

  /// The anchors of the labels to start with; nil if none are named.
  private func beginning(_ encoder: TextEncoder) throws(VDSQError) -> LabelSet? {
    var all: [Label] = []
    if let labels { all += try Label.parse(list: labels) }
    if let labelsFile { all += try LabelFile.read(labelsFile) }
    guard !all.isEmpty else { return nil }
    all.removeAll { outOfScope?.hasSameBytes(as: $0.name) ?? false }
    if let outOfScope { all.append(.outOfScope(outOfScope)) }
    return try LabelSet(all, encoder: encoder, template: try parsedTemplate())
  }

  private func learn(_ learner: OnlineLearner) throws(VDSQError) {
    let name = "standard input"
    let examples = ExampleStream(
      LineReader(descriptor: 0, name: name), name: name, fields: fields.fields(), label: label)
    while let next = try examples.next() {
      try report(next.example, try learner.learn(next.example, context: next.context))
    }
  }

  private func report(
    _ example: Examples.Example, _ outcome: OnlineLearner.Outcome
  ) throws(VDSQError) {
    if quiet { return }
    // A reader of the line must get it before the next example.
    let output = OutputBuffer(descriptor: 1)
    if json {
      let document = JSONWriter(output)
      document.object {
        document.member("examples", outcome.count)
        document.member("label", example.label)
        document.member("taken_for", outcome.predicted)
        document.member("probability", outcome.probability)
      }
    } else {
      output.write("\(outcome.count)\t\(example.label)\t\(outcome.predicted)\t")
      output.write(fixed(Double(outcome.probability), 4))
    }
    output.write("\n")
    try output.flush()
  }

  /// Writes what was removed, with its name under `key`.
  private func report(
    _ what: String, _ learner: OnlineLearner, _ key: String, _ name: String
  ) throws(VDSQError) {
    if quiet { return }
    guard json else {
      return try StandardOutput.write(
        line: "forgot \(what); \(counted(learner.count, "example")) left")
    }
    try StandardOutput.write(
      line: JSONWriter.string { json in
        json.object {
          json.member(key, name)
          json.member("examples", learner.count)
        }
      })
  }
}
