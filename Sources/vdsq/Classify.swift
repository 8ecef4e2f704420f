import ArgumentParser
import VDSQFormat
import VDSQInference
import VDSQMeasurement
import VDSQSemantics
import VDSQStreams
import VDSQTraining

struct Classify: Command {
  static let configuration = CommandConfiguration(
    abstract: "Sorts the texts on standard input into labels.",
    discussion: """
      Without examples, labels mean what their words say (zero-shot). With --examples, or with an \
      adapter that vdsq adapt made of them, a few examples correct that. Writes one line a text: \
      the label, a tab, its probability.
      """)

  @Argument(help: "The .vdsq file.")
  var model: String

  @OptionGroup var label: LabelOptions

  @Option(help: #"Learn from these examples first, JSON Lines: {"text": "...", "label": "..."}."#)
  var examples: String?

  @Option(help: "Use an adapter that vdsq adapt made for this model.")
  var adapter: String?

  @Option(help: "Softmax temperature of the cosines; the adapter's, or 0.05, by default.")
  var temperature: Float?

  @Option(help: "How many labels to write for each text.")
  var top = 1

  @Option(help: "Give no label that is less probable than this, from 0 to 1.")
  var abstain: Float?

  @Flag(help: "Write a JSON object a line.")
  var json = false

  @Flag(
    help: """
      Say why: which words of the vocabulary the text's state leans to, which the label's, which both, and where \
      examples pulled. A sentence encoder reads every word of its vocabulary for that once; --cache keeps them.
      """)
  var explain = false

  @OptionGroup var input: InputOptions
  @OptionGroup var encoding: EncoderOptions

  @Flag(help: "Write counts, time and peak memory to standard error at the end.")
  var stats = false

  @Flag(name: .shortAndLong, help: "No progress, no warnings.")
  var quiet = false

  func validate() throws {
    guard top >= 1 else { throw ValidationError("--top must be at least 1") }
    guard abstain.map({ $0 > 0 && $0 <= 1 }) ?? true else {
      throw ValidationError("--abstain must be above 0 and at most 1")
    }
    guard !explain || abstain == nil else {
      throw ValidationError("--explain goes without --abstain")
    }
    guard adapter == nil || examples == nil else {
      throw ValidationError("--adapter and --examples exclude each other")
    }
    guard adapter == nil || (label.labels.isEmpty && label.labelsFile == nil) else {
      throw ValidationError("--adapter brings its own labels; leave --labels out")
    }
    guard
      adapter != nil || examples != nil || !label.labels.isEmpty || label.labelsFile != nil
    else {
      throw ValidationError("one of --labels, --labels-file, --examples, --adapter is needed")
    }
  }

  func execute() throws(VDSQError) {
    let start = Timing.now()
    let template = try label.parsedTemplate()
    var learned: Adapter?
    let follower = try adapter.map { (path) throws(VDSQError) in
      try AdapterFollower(path: path, modelPath: model)
    }
    if let follower {
      learned = try follower.changed()
    } else if let examples {
      learned = try label.adapter(
        from: examples, model: model, encoding: encoding, quiet: quiet)
    }
    let opened = try encoding.open(
      model, intermediateFeatures: learned?.intermediateFeatures ?? [],
      more: 2 * (learned?.bytes ?? 0))
    let encoder =
      if let learned {
        try learned.encoder(opened.container, options: opened.options)
      } else { try opened.encoder() }
    let classifier = try classifier(encoder, learned, template)
    if explain { return try explain(encoder, learned, classifier, template) }
    var options = ClassificationStream.Options()
    options.top = top
    options.json = json
    options.strict = input.strict
    options.abstain = abstain ?? 0
    options.outOfScope = label.outOfScope
    options.temperature = temperature
    let stream = ClassificationStream(
      encoder: encoder, classifier: classifier, template: template, options: options,
      output: OutputBuffer(descriptor: 1), follower: follower)
    try input.forEachText(
      { (text, line) throws(VDSQError) in
        try stream.add(text, source: line.number, cut: line.cut)
      }, pause: { () throws(VDSQError) in try stream.flush() })
    if !quiet { warn(stream.counts, encoder) }
    if stats { report(stream.counts, seconds: Timing.now() - start) }
  }

  private func explain(
    _ encoder: TextEncoder, _ learned: Adapter?, _ classifier: Classifier, _ template: Template?
  ) throws(VDSQError) {
    let explainer = try Explainer(
      bases: try explanationBases(encoder), encoder: encoder, adapter: learned,
      classifier: classifier)
    let output = OutputBuffer(descriptor: 1)
    try input.forEachText(
      { (text, line) throws(VDSQError) in
        var filled = Array(text)
        if let template, template.aroundTexts { template.fill(text, into: &filled) }
        filled.withUnsafeBytes { _ = encoder.add($0) }
        try encoder.encode { _, state in
          let explanation = ExplanationText(explanation: explainer.explain(state))
          output.write(
            json
              ? explanation.object : explanation.lines(for: String(decoding: text, as: UTF8.self)))
        }
      }, pause: { () throws(VDSQError) in try output.flush() })
  }

  private func explanationBases(_ encoder: TextEncoder) throws(VDSQError) -> ExplanationBases {
    let bar = ProgressBar("reading the vocabulary", quiet: quiet)
    defer { bar.end() }
    return try ExplanationBases(
      encoder: encoder, cache: try StateCache(folder: label.cache, encoder: encoder)
    ) { bar.show(Int($0 * 1000), of: 1000) }
  }

  private func classifier(
    _ encoder: TextEncoder, _ learned: Adapter?, _ template: Template?
  ) throws(VDSQError) -> Classifier {
    let labels: LabelSet
    if let learned {
      labels = learned.labels
    } else {
      labels = try LabelSet(try label.named(), encoder: encoder, template: template)
    }
    return try Classifier(
      labels: labels, adapter: learned, temperature: temperature, kernels: encoder.kernels)
  }

  private func warn(_ counts: ClassificationStream.Counts, _ encoder: TextEncoder) {
    if counts.truncated > 0 {
      let limit = encoder.maximumTokens
      StandardError.write(
        "vdsq: \(counts.truncated) of \(counts.texts) texts were cut to \(limit) tokens\n")
    }
    if counts.replaced > 0 {
      StandardError.write(
        "vdsq: \(counts.replaced) of \(counts.texts) texts had invalid UTF-8, which was replaced\n")
    }
  }

  private func report(_ counts: ClassificationStream.Counts, seconds: Double) {
    let peak = ProcessMemory.peakResidentBytes().map { ", peak RSS \(mebibytes($0))" } ?? ""
    StandardError.write(
      "\(counts.texts) texts, \(counts.tokens) tokens, \(fixed(seconds, 3)) s\(peak)\n")
  }
}
