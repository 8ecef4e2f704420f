public import VDSQ
public import VDSQFormat
public import VDSQInference
import VDSQSemantics

extension OnlineLearner {
  /// An encoder for learning on with an adapter: with its intermediate features, weight updates,
  /// prompt and number of dimensions, if the file exists.
  ///
  /// - Parameters:
  ///   - path: the adapter's file, which need not exist.
  ///   - more: bytes that the work needs beside the model.
  /// - Throws: `badInput` if the adapter was made for another model; the errors of opening both.
  public static func encoder(
    for path: String, model: Model, run: RunOptions, more: Int = 0
  ) throws(VDSQError) -> TextEncoder {
    guard FileStamp(path: path) != nil else { return try model.encoder(run, more: more) }
    let adapter = try Adapter(path: path, model: model.description)
    let options = try model.encoderOptions(
      run, intermediateFeatures: adapter.intermediateFeatures, more: more + adapter.bytes)
    return try adapter.encoder(try model.container(for: options.policy), options: options)
  }
}
