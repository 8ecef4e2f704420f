import ArgumentParser
import VDSQ
import VDSQFiles
import VDSQReports
import VDSQStreams

struct Score: Command {
  static let configuration = CommandConfiguration(
    abstract: "Tells how likely a language model finds texts, or continuations of texts.",
    discussion: """
      Writes one line per text on standard input: the natural logarithm of its probability, and the \
      number of its tokens. With --pair, a record is a context, a tab and its continuation, which \
      is scored; a third column has greedy if greedy decoding would give it. Everything is as in \
      lm-evaluation-harness (loglikelihood_rolling and loglikelihood). Texts of more than \
      --max-tokens tokens are read in windows, and long contexts lose their beginning.
      """)

  @Argument(help: "The .vdsq file of a causal language model.", completion: .file())
  var model: String

  @Flag(
    help: """
      Read contexts and continuations: on both sides of a tab, or in --field and --second-field.
      """)
  var pair = false

  @Option(help: "The field of JSON Lines with the continuation.")
  var secondField: String?

  @Flag(
    help: """
      Write only the totals over all texts: perplexities per token, word and byte, and bits per \
      byte.
      """)
  var totals = false

  @Option(
    help: "Score a file as one text instead of standard input, and write the totals.",
    completion: .file())
  var document: String?

  @Flag(help: "With --json: the score of each token.")
  var perToken = false

  @Flag(help: "Write JSON.")
  var json = false

  @OptionGroup var input: InputOptions
  @OptionGroup var encoding: EncoderOptions
  @OptionGroup var repair: RepairOptions

  @Flag(name: .shortAndLong, help: "No warnings.")
  var quiet = false

  private var arePairs: Bool { pair || secondField != nil }

  var files: CommandFiles {
    CommandFiles(inputs: [model, document, repair.repair], readsStandardInput: document == nil)
  }

  func validate() throws {
    guard !perToken || (json && !totals && document == nil) else {
      throw ValidationError("--per-token goes with --json, and without --totals and --document")
    }
    guard document == nil || (!arePairs && input.field == nil && !input.isTagged) else {
      throw ValidationError("--document reads one text; leave options of records out")
    }
    guard !totals || !input.isTagged else {
      throw ValidationError("--totals writes no records; leave --echo and --pass out")
    }
  }

  func execute() throws(VDSQError) {
    let text = try document.map { (path) throws(VDSQError) in
      try TextFile(path: path, limit: 64 << 20)
    }
    let records = try input.records(
      json: json, quiet: quiet, answer: ScoreStream.members, pair: arePairs,
      secondField: secondField)
    // The text, its normalized copies and its ids.
    var run = try encoding.run(quiet: quiet)
    run.repair = try repair.read(for: model)
    let scorer = try TextScorer(
      model: try Model(path: model), options: run,
      more: 16 * (text?.bytes.count ?? 0))
    var options = ScoreStream.Options()
    (options.isJSON, options.keepsTokens) = (json, perToken)
    options.onlyTotals = totals || text != nil
    let stream = try ScoreStream(records, scorer: scorer, options: options)
    if let text {
      try text.bytes.withBytes { (bytes) throws(VDSQError) in try stream.add(document: bytes) }
    } else {
      StreamSignals.watch(reloads: false)
      try stream.run()
    }
    if options.onlyTotals {
      try print(ScoreReport(stream.totals, arePairs: arePairs), json: json)
    }
    try records.end(maximumTokens: scorer.maximumTokens)
  }
}
