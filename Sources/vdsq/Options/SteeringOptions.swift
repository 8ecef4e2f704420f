import ArgumentParser
import VDSQ
import VDSQCheckpoints
import VDSQReports

/// Adds directions to the states of a layer.
struct SteeringOptions: ParsableArguments {
  @Option(
    help: """
      Add the basis of a token to the states of a layer, at every position: TOKEN=FACTOR. The \
      factor is in multiples of the length of each state. Can be repeated.
      """)
  var steer: [String] = []

  @Option(
    help: "Add the direction in a .npy file instead: FILE=FACTOR. Can be repeated.",
    completion: .file())
  var steerFile: [String] = []

  @Option(
    help:
      "The layer behind which directions are added: 0 (embeddings) to the last; the middle one by default."
  )
  var steerLayer: Int?

  /// The files of directions.
  var files: [String?] { steerFile.map { FactorArgument($0)?.name } }

  func validate() throws {
    guard steerLayer == nil || !(steer + steerFile).isEmpty else {
      throw ValidationError("--steer-layer goes with --steer or --steer-file")
    }
    for argument in steer + steerFile where FactorArgument(argument) == nil {
      throw ValidationError("\(argument): write NAME=FACTOR, as in \" Paris=0.5\"")
    }
  }

  /// - Throws: `missingInput` or `badInput` for a file.
  func directions() throws(VDSQError) -> SteeringDirections {
    var directions = SteeringDirections()
    directions.layer = steerLayer
    for argument in steer.compactMap(FactorArgument.init) {
      directions.add(token: argument.name, factor: argument.factor)
    }
    for argument in steerFile.compactMap(FactorArgument.init) {
      directions.add(
        vector: try NPYFile(path: argument.name).vector(), factor: argument.factor,
        name: argument.name)
    }
    return directions
  }
}
