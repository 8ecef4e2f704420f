import ArgumentParser
import VDSQ
import VDSQFiles
import VDSQFormat
import VDSQReports
import VDSQTraining

extension ReconsiderationFilter.RadiusRule: ExpressibleByArgument {}

struct Categories: Command {
  static let configuration = CommandConfiguration(
    abstract: "Shows categories of texts as regions, and items that may be in the wrong one.",
    discussion: """
      Each label is a category: the region around the mean of its items' vectors. The \
      reconsideration probability (RP) of an item for a category is 100 within the radius, 50 at \
      the median distance of the other items, and falls exponentially. Writes a table of the \
      categories, then the items that another category claims more than their own does, or that \
      lie outside their own. Names with paths, such as net/mail, are categories within categories.
      """)

  @Argument(help: "The .vdsq file.", completion: .file())
  var model: String

  @Argument(help: "The labelled texts: JSON Lines, .csv or .tsv.", completion: .file())
  var items: String

  @Option(
    help: "The reconsideration probability at which a category claims an item, from 0 to 100.")
  var rp: Float = CategoryMap.Options().probability

  @Option(
    help: """
      The radius of a category: the mean distance of its items, the distance that nine of ten do \
      not exceed (q90), or the largest (max).
      """, completion: .list(ReconsiderationFilter.RadiusRule.allCases.map(\.rawValue)))
  var radius = CategoryMap.Options().radius

  @Option(help: "What separates the names of a path; \"\" for names without paths.")
  var separator = CategoryMap.Options().separator

  @Option(help: "The number of nearest items that are looked at, from 1 to 1000.")
  var neighbours = CategoryMap.Options().neighbours

  @Option(help: "The maximum number of listed items.")
  var limit: Int?

  @Flag(help: "List all items, those that fit their category too.")
  var all = false

  @Flag(
    help: """
      Also hold out each item and classify it by an adapter that is trained on the others, as vdsq \
      review does; the list is in the order of both.
      """)
  var review = false

  @OptionGroup var label: LabelOptions
  @OptionGroup var encoding: EncoderOptions

  @Option(help: "An HTML page to write.", completion: .file())
  var report: String?

  @Flag(help: "Replace the page if it exists.")
  var force = false

  @Flag(help: "Write JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(
      inputs: [
        model, items, label.labelsFile, label.calibrateOn, label.unlabelled,
        label.vocabulary.bases,
      ],
      outputs: [report], replaces: force)
  }

  func validate() throws {
    guard rp >= 0, rp <= 100 else { throw ValidationError("--rp must be from 0 to 100") }
    guard neighbours >= 1, neighbours <= 1000 else {
      throw ValidationError("--neighbours must be from 1 to 1000")
    }
    guard limit.map({ $0 >= 1 }) ?? true else {
      throw ValidationError("--limit must be at least 1")
    }
    guard !review || label.method != .finetune else {
      throw ValidationError("--method finetune changes the vectors that are compared; try another")
    }
  }

  func execute() throws(VDSQError) {
    let texts = try label.read(items, model: model, quiet: quiet)
    var options = CategoryMap.Options()
    (options.probability, options.radius, options.separator) = (rp, radius, separator)
    (options.neighbours, options.listsAll, options.limit) = (neighbours, all, limit)
    let progress = TrainingProgress(encoding: items, quiet: quiet)
    defer { progress.end() }
    let map = try CategoryMap(
      texts, model: try Model(path: model), labels: try label.all(in: texts),
      training: try label.training(model, encoding, allowsFinetuning: false), reviews: review,
      options: options, report: progress.show)
    progress.end()
    let found = CategoriesReport(map, of: texts)
    if let report {
      try CategoriesPage(title: "\(model), \(items)", report: found).write(
        to: report, replace: force)
    }
    try print(found, json: json)
  }
}
