import ArgumentParser
import VDSQ
import VDSQFiles
import VDSQReports
import VDSQTraining

struct Pairs: Command {
  static let configuration = CommandConfiguration(
    abstract: "Tells how often a language model finds the right text of minimal pairs likelier.",
    discussion: """
      Reads JSON Lines such as {"good": "Cats sleep.", "bad": "Cats sleeps.", "task": "agreement"}. \
      Writes for each task the number of pairs, the accuracy, its 95% interval over pairs, and the \
      mean difference of the log-likelihoods in nats. Texts are scored as by vdsq score; a pair of \
      equal scores counts as wrong.
      """)

  @Argument(help: "The .vdsq file of a causal language model.", completion: .file())
  var model: String

  @OptionGroup var input: PairOptions

  @Flag(help: "Write one line per pair: both log-likelihoods, whether it is right, the task.")
  var each = false

  @Option(help: "An HTML page to write.", completion: .file())
  var report: String?

  @Flag(help: "Replace the page if it exists.")
  var force = false

  @Flag(help: "Write JSON.")
  var json = false

  @OptionGroup var encoding: EncoderOptions
  @OptionGroup var repair: RepairOptions

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(inputs: [model, input.pairs, repair.repair], outputs: [report], replaces: force)
  }

  func execute() throws(VDSQError) {
    let all = try input.read()
    var run = try encoding.run(quiet: quiet)
    run.repair = try repair.read(for: model)
    let scorer = try TextScorer(model: try Model(path: model), options: run)
    let bar = ProgressBar("scoring", quiet: quiet)
    defer { bar.end() }
    let evaluation = try PairEvaluation(of: all, scorer: scorer) {
      bar.show($0, of: all.count)
    }
    bar.end()
    if let report {
      try PairsPage(title: "\(model), \(input.pairs)", evaluation).write(to: report, replace: force)
    }
    guard each else { return try print(PairsReport(evaluation), json: json) }
    for (pair, score) in zip(evaluation.pairs, evaluation.scores) {
      try print(PairScoreReport(pair, score), json: json)
    }
  }
}
