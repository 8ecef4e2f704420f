public import ArgumentParser
public import VDSQ
import VDSQFiles
import VDSQStreams

extension EntityAggregation: ExpressibleByArgument {
  public init?(argument: String) { self.init(name: argument) }
  public static var allValueStrings: [String] { allCases.map(\.name) }
  public var defaultValueDescription: String { name }
}

struct Tag: Command {
  static let configuration = CommandConfiguration(
    abstract: "Finds entities in the texts on standard input.",
    discussion: """
      The head that the model was trained with labels tokens. Writes one line per entity: line \
      number, start and end in characters, label, probability and text, separated by tabs.
      """)

  @Argument(help: "The .vdsq file.", completion: .file())
  var model: String

  @Option(
    help: "How tokens become entities, as in transformers' pipeline.")
  var aggregation = EntityAggregation.simple

  @OptionGroup var options: OwnHeadOptions

  var files: CommandFiles { CommandFiles(inputs: [model], readsStandardInput: true) }

  func execute() throws(VDSQError) {
    let records = try options.records(answer: TagStream.members)
    let tagger = try TextTagger(model: try Model(path: model), options: try options.run())
    let stream = TagStream(records, tagger: tagger, aggregation: aggregation, isJSON: options.json)
    StreamSignals.watch(reloads: false)
    try stream.run()
    try records.end(maximumTokens: tagger.maximumTokens)
  }
}
