import ArgumentParser
import Glibc
import VDSQFormat
import VDSQInference

extension Precision: ExpressibleByArgument {
  public init?(argument: String) {
    switch argument {
    case "int8": self = .integer
    case "high": self = .high
    default: return nil
    }
  }

  public static var allValueStrings: [String] { ["int8", "high"] }

  public var defaultValueDescription: String { self == .high ? "high" : "int8" }
}

/// How a model is run; the same for every command that runs one.
struct EncoderOptions: ParsableArguments {
  @Option(help: "Threads that share the work; all processors by default.")
  var threads: Int = Self.processors

  static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  @Option(
    help: """
      How int8 weights are multiplied: int8 (activations as u8, products in integers) or high \
      (activations in float32; slower, closer to the checkpoint).
      """)
  var precision: Precision = .integer

  @Option(
    help: """
      Cut texts to this many tokens; by default the longest sequence of the model, or \
      \(TextEncoder.defaultLongest) where that of a causal model is longer.
      """)
  var maxTokens: Int?

  func encoder(_ path: String) throws(VDSQError) -> TextEncoder {
    try encoder(try Container(path: path, kind: .model))
  }

  func encoder(_ container: Container) throws(VDSQError) -> TextEncoder {
    try TextEncoder(container, options: options())
  }

  /// - Parameter lowerStates: what is wanted of lower layers (`TextEncoder.Options`).
  func options(lowerStates: [LowerState] = []) -> TextEncoder.Options {
    var options = TextEncoder.Options()
    options.threads = threads
    options.precision = precision
    options.maximumTokens = maxTokens
    options.keepsThreadsBusy = true
    options.lowerStates = lowerStates
    return options
  }
}
