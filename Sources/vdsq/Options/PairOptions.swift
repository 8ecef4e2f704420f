import ArgumentParser
import VDSQFormat
import VDSQTraining

/// A file of minimal pairs.
struct PairOptions: ParsableArguments {
  @Argument(help: "The pairs: JSON Lines.", completion: .file())
  var pairs: String

  @Option(help: "The field of the right text.")
  var goodField = "good"

  @Option(help: "The field of the other text.")
  var badField = "bad"

  @Option(help: "The field that names the task; another one groups the pairs otherwise.")
  var by = "task"

  /// - Parameter group: the field of the group of a task; nil if no groups are needed.
  /// - Throws: `missingInput` if the file cannot be opened; `badInput`, naming the line, if a pair
  ///   is malformed.
  func read(group: String? = nil) throws(VDSQError) -> [MinimalPair] {
    try MinimalPairReader(good: goodField, bad: badField, task: by, group: group).read(pairs)
  }
}
