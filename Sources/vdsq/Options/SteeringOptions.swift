import ArgumentParser
import VDSQ
import VDSQCheckpoints
import VDSQReports

/// Adds directions to the states of a layer, or removes them.
struct SteeringOptions: ParsableArguments {
  @Option(
    help: """
      Add the basis of a token to the states of a layer, at every position: TOKEN=FACTOR; or a \
      direction that vdsq direction found: FILE.vdsd=FACTOR, FILE.vdsd#2=FACTOR for its second. The \
      factor is in multiples of the length of each state. Can be repeated.
      """)
  var steer: [String] = []

  @Option(
    help: "Add the direction in a .npy file instead: FILE=FACTOR. Can be repeated.",
    completion: .file())
  var steerFile: [String] = []

  @Option(
    help: """
      Remove directions that vdsq direction found from the states of their layer: FILE.vdsd for \
      all of the file, FILE.vdsd#2 for the second. Can be repeated.
      """, completion: .file())
  var without: [String] = []

  @Option(
    help: """
      The layer whose states are changed: 0 (embeddings) to the last; that of the .vdsd files, or \
      else the middle one by default.
      """
  )
  var steerLayer: Int?

  /// Whether nothing is changed.
  var isEmpty: Bool { (steer + steerFile + without).isEmpty }

  /// The files of directions.
  var files: [String?] {
    steerFile.map { FactorArgument($0)?.name }
      + steer.map { FactorArgument($0).flatMap { DirectionArgument($0.name) }?.path }
      + without.map { DirectionArgument($0)?.path }
  }

  func validate() throws {
    guard steerLayer == nil || !isEmpty else {
      throw ValidationError("--steer-layer goes with --steer, --steer-file or --without")
    }
    for argument in steer + steerFile where FactorArgument(argument) == nil {
      throw ValidationError("\(argument): write NAME=FACTOR, as in \" Paris=0.5\"")
    }
    for argument in without where DirectionArgument(argument) == nil {
      throw ValidationError("--without \(argument): name a .vdsd file of vdsq direction")
    }
  }

  /// - Throws: `missingInput` or `badInput` for a file.
  func directions() throws(VDSQError) -> SteeringDirections {
    var directions = SteeringDirections()
    directions.layer = steerLayer
    for argument in steer.compactMap(FactorArgument.init) {
      if let direction = DirectionArgument(argument.name) {
        directions.add(
          file: direction.path, index: direction.index ?? 0, factor: argument.factor)
      } else {
        directions.add(token: argument.name, factor: argument.factor)
      }
    }
    for argument in steerFile.compactMap(FactorArgument.init) {
      directions.add(
        vector: try NPYFile(path: argument.name).vector(), factor: argument.factor,
        name: argument.name)
    }
    for direction in without.compactMap(DirectionArgument.init) {
      directions.remove(file: direction.path, index: direction.index)
    }
    return directions
  }
}
