import ArgumentParser
import VDSQ
import VDSQFiles
import VDSQReports
import VDSQStreams

struct Rerank: Command {
  static let configuration = CommandConfiguration(
    abstract: "Ranks the passages on standard input by a query.",
    discussion: """
      The model is a cross-encoder: its head reads query and passage as a pair and answers with one \
      score. Writes the best passages: the score, a tab, the line number, a tab, the passage.
      """)

  @Argument(help: "The .vdsq file.", completion: .file())
  var model: String

  @Argument(help: "The query.")
  var query: String

  @Option(help: "The number of passages to write, best first.")
  var top = 10

  @Flag(help: "Write the score of every passage instead, in the order of the input.")
  var all = false

  @OptionGroup var options: OwnHeadOptions

  var files: CommandFiles { CommandFiles(inputs: [model], readsStandardInput: true) }

  func validate() throws {
    guard top >= 1 else { throw ValidationError("--top must be at least 1") }
  }

  func execute() throws(VDSQError) {
    let records = try options.records(answer: RerankStream.members, echoes: !all)
    let reranker = try Reranker(model: try Model(path: model), options: try options.run())
    let stream = try RerankStream(
      records, reranker: reranker, query: query, top: all ? nil : top, isJSON: options.json)
    StreamSignals.watch(reloads: false)
    try stream.run()
    try records.end(maximumTokens: reranker.maximumTokens)
  }
}
