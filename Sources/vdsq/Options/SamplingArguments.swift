import ArgumentParser
import VDSQ
import VDSQSemantics

/// How tokens are chosen.
struct SamplingArguments: ParsableArguments {
  @Option(
    help: "Divides logits before tokens are drawn; 0 always takes the likeliest token.")
  var temperature: Float = 0

  @Option(help: "Draw from this many likeliest tokens; 0 for all.")
  var topK = 0

  @Option(help: "Draw from the likeliest tokens that have this share of the probability together.")
  var topP: Float = 1

  @Option(help: "Leave out tokens below this share of the likeliest one's probability.")
  var minP: Float = 0

  @Option(
    help: "Divides the positive logits of tokens in the text, and multiplies negative ones.")
  var repeatPenalty: Float = 1

  @Option(help: "The seed of the random numbers.")
  var seed: UInt64 = 0

  func validate() throws {
    guard temperature >= 0, temperature.isFinite else {
      throw ValidationError("--temperature must be at least 0")
    }
    guard topK >= 0 else { throw ValidationError("--top-k must be at least 0") }
    guard topP > 0, topP <= 1 else { throw ValidationError("--top-p must be above 0 and up to 1") }
    guard minP >= 0, minP <= 1 else { throw ValidationError("--min-p must be from 0 to 1") }
    guard repeatPenalty > 0, repeatPenalty.isFinite else {
      throw ValidationError("--repeat-penalty must be above 0")
    }
    guard temperature > 0 || (topK == 0 && topP == 1 && minP == 0 && seed == 0) else {
      throw ValidationError(
        "--top-k, --top-p, --min-p and --seed go with --temperature; without it the likeliest "
          + "token is taken")
    }
  }

  /// The options in the form of the library.
  var options: SamplingOptions {
    var options = SamplingOptions()
    (options.temperature, options.topK, options.topP) = (temperature, topK, topP)
    (options.minP, options.repetitionPenalty, options.seed) = (minP, repeatPenalty, seed)
    return options
  }
}
