import ArgumentParser
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTraining

struct Eval: Command {
  static let configuration = CommandConfiguration(
    abstract:
      "Measures how well labels are told, with no examples, with a few, or with an adapter.",
    discussion: """
      Every text goes through the model once. With --train, so many examples of each label as --shots says \
      are drawn --seeds times and learned from; 0 is zero-shot. Prints accuracy, its standard deviation over \
      seeds and its 95% confidence interval, macro-F1, and the expected calibration error; --report draws \
      learning curves and the last row's confusion matrix.
      """)

  @Argument(help: "The .vdsq file.")
  var model: String

  @Option(help: "The texts to measure on: JSON Lines, .csv or .tsv.")
  var test: String

  @Option(help: "The texts to learn from.")
  var train: String?

  @Option(help: "Use an adapter that vdsq adapt made for this model.")
  var adapter: String?

  @Option(help: "How many examples of each label to learn from, separated by commas.")
  var shots: String?

  @Option(help: "How often examples are drawn.")
  var seeds = 5

  @OptionGroup var label: LabelOptions
  @OptionGroup var encoding: EncoderOptions

  @Option(help: "An HTML page to write.")
  var report: String?

  @Flag(help: "Replace the report if it exists.")
  var force = false

  @Flag(help: "Write JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  func validate() throws {
    guard adapter == nil || (train == nil && shots == nil) else {
      throw ValidationError("--adapter has learned already; leave --train and --shots out")
    }
    guard seeds >= 1, seeds <= 1000 else { throw ValidationError("--seeds must be from 1 to 1000") }
    guard let counts = counts else {
      throw ValidationError("--shots: numbers from 0 up, separated by commas, such as 0,1,4,16")
    }
    guard train != nil || counts.allSatisfy({ $0 == 0 }) else {
      throw ValidationError("--shots above 0 need --train")
    }
  }

  /// Nil where they are no numbers.
  private var counts: [Int]? {
    guard let shots else { return train == nil ? [0] : [0, 1, 4, 16, 64] }
    let counts = shots.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    return counts.isEmpty || counts.contains { ($0 ?? -1) < 0 } ? nil : counts.compactMap { $0 }
  }

  func execute() throws(VDSQError) {
    let rows = try adapter == nil ? learned() : [adapted()]
    if let report {
      try EvaluationPage(title: "\(model), \(test)", rows: rows).write(to: report, replace: force)
    }
    if json { printJSON(rows) } else { printTable(rows) }
  }

  private func adapted() throws(VDSQError) -> EvaluationRow {
    let learned = try Adapter(
      path: adapter!, model: try Container(path: model, kind: .model, decoding: .noWeights))
    let adapted = try label.encode(
      try label.read(test), test, by: learned, model: model, encoding: encoding, quiet: quiet)
    let evaluation = Evaluation(
      of: adapted.classifier, states: adapted.examples.states, columns: adapted.columns,
      targets: adapted.examples.targets)
    return EvaluationRow(
      shots: nil, method: "adapter", names: learned.labels.names, evaluations: [evaluation])
  }

  private func learned() throws(VDSQError) -> [EvaluationRow] {
    let held = try label.read(test)
    let known = try train.map { (path) throws(VDSQError) in try label.read(path) } ?? []
    let trainer = try label.trainer(model, known + held, encoding, quiet: quiet)
    let (encoder, anchors) = (trainer.encoder, trainer.anchors)
    let texts = try label.encode(held, trainer, test, quiet: quiet)
    let examples = try train.map { (path) throws(VDSQError) in
      try label.encode(known, trainer, path, quiet: quiet)
    }
    var rows: [EvaluationRow] = []
    let columns = encoder.dimensions
    for count in counts! {
      var evaluations: [Evaluation] = []
      let bar = ProgressBar("learning from \(count)", quiet: quiet)
      defer { bar.end() }
      for seed in 0..<(count == 0 ? 1 : seeds) {
        let classifier: Classifier
        var (states, dimensions) = (texts.states, columns)
        if count > 0, let examples {
          let chosen = Shots(
            examples.targets, labels: anchors.count, count: count, seed: UInt64(seed))
          let adapter = try trainer.train(
            on: examples.subset(chosen.members, columns: columns))
          classifier = try Classifier(
            labels: adapter.labels, adapter: adapter, kernels: encoder.kernels)
          if adapter.updates != nil {
            let tuned = try adapter.encoder(encoder.container, options: encoder.options)
            states = try trainer.encode(held, with: tuned).states
            dimensions = tuned.dimensions
          }
        } else {
          // Words alone are compared with the model's vector alone.
          let own = columns / (encoder.intermediateFeatures.count + 1)
          classifier = try Classifier(labels: anchors.prefix(own), kernels: encoder.kernels)
        }
        evaluations.append(
          Evaluation(of: classifier, states: states, columns: dimensions, targets: texts.targets)
        )
        bar.show(seed + 1, of: seeds)
      }
      bar.end()
      rows.append(
        EvaluationRow(
          shots: count, method: count == 0 ? "zero-shot" : label.method.rawValue,
          names: anchors.names, evaluations: evaluations))
    }
    return rows
  }

  private func printTable(_ rows: [EvaluationRow]) {
    print(
      "\(rightAligned("shots", 6))  \(padded("method", 12)) \(rightAligned("accuracy", 9)) "
        + "\(rightAligned("std", 7)) \(rightAligned("95%", 16)) \(rightAligned("macro-F1", 9)) "
        + rightAligned("ECE", 7))
    for row in rows {
      let interval =
        row.evaluations.count > 1
        ? "\(fixed(row.accuracy.mean - row.accuracy.margin, 4))-\(fixed(row.accuracy.mean + row.accuracy.margin, 4))"
        : ""
      print(
        "\(rightAligned(row.shots.map { "\($0)" } ?? "", 6))  \(padded(row.method, 12)) "
          + "\(rightAligned(fixed(row.accuracy.mean, 4), 9)) "
          + "\(rightAligned(fixed(row.accuracy.deviation, 4), 7)) \(rightAligned(interval, 16)) "
          + "\(rightAligned(fixed(row.macroF1, 4), 9)) "
          + rightAligned(fixed(row.calibrationError, 4), 7))
    }
  }

  private func printJSON(_ rows: [EvaluationRow]) {
    let objects = rows.map { row in
      "{\"shots\": \(row.shots.map { "\($0)" } ?? "null"), \"method\": \"\(row.method)\", "
        + "\"seeds\": \(row.evaluations.count), \"accuracy_mean\": \(row.accuracy.mean), "
        + "\"accuracy_std\": \(row.accuracy.deviation), "
        + "\"accuracy_margin_95\": \(row.accuracy.margin), \"macro_f1\": \(row.macroF1), "
        + "\"ece\": \(row.calibrationError), \"confusion\": \(row.confusion)}"
    }
    let names = (rows.first?.names ?? []).map { Provenance.quoted($0) }.joined(separator: ", ")
    print("{\"labels\": [\(names)], \"rows\": [\(objects.joined(separator: ", "))]}")
  }
}

/// One line of an evaluation: so many shots, over some seeds.
struct EvaluationRow {
  /// Nil for an adapter.
  let shots: Int?
  let method: String
  let names: [String]
  let evaluations: [Evaluation]

  var accuracy: Spread { Spread(evaluations.map(\.accuracy)) }
  var macroF1: Double { Spread(evaluations.map(\.macroF1)).mean }
  var calibrationError: Double { Spread(evaluations.map(\.calibrationError)).mean }

  /// `[labels][labels]`, summed over seeds.
  var confusion: [[Int]] {
    names.indices.map { row in
      names.indices.map { column in
        evaluations.reduce(0) { $0 + $1.confusion[row * names.count + column] }
      }
    }
  }
}
