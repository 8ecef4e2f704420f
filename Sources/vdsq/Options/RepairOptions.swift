import ArgumentParser
import VDSQ
import VDSQFormat
import VDSQInference
import VDSQSemantics

/// A repair of the model's weights.
struct RepairOptions: ParsableArguments {
  @Option(
    help: "Repair a causal language model by a file that vdsq repair made for it.",
    completion: .file())
  var repair: String?

  /// Nil if none is named.
  ///
  /// - Throws: `missingInput` or `badInput` for the file; `badInput` if it was made for another
  ///   model.
  func read(for model: String) throws(VDSQError) -> Repair? {
    try repair.map { (path) throws(VDSQError) in try Model(path: model).repair(path: path) }
  }
}
