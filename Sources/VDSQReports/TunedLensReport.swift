package import VDSQConversion
import VDSQFormat
package import VDSQStreams

/// The report of `vdsq tune-lens`.
package struct TunedLensReport: Report {
  let layers: [TunedLensFit.Layer]
  let tokens: Int
  /// The file that was written, and its length.
  let output: String
  let bytes: Int
  /// The duration.
  let seconds: Double

  package init(
    _ layers: [TunedLensFit.Layer], tokens: Int, output: String, bytes: Int, seconds: Double
  ) {
    self.layers = layers
    self.tokens = tokens
    self.output = output
    self.bytes = bytes
    self.seconds = seconds
  }

  /// The share of the squared distance to the last layer that the translation leaves.
  private func left(_ layer: TunedLensFit.Layer) -> Double {
    layer.before > 0 ? layer.after / layer.before : 1
  }

  package var text: String {
    var text = "distance to the last layer's states that is left, squared, on held-out texts\n"
    for (index, layer) in layers.enumerated() {
      text +=
        "  \(padded(layerName(index), 12)) \(rightAligned(fixed(100 * left(layer), 1) + "%", 7))"
        + "   lambda \(significant(layer.lambda))\n"
    }
    return text
      + "\(counted(tokens, "token")), \(output): \(mebibytes(bytes)), \(fixed(seconds, 2)) s"
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.key("layers")
      json.array {
        for (index, layer) in layers.enumerated() {
          json.object {
            json.member("layer", index)
            json.member("lambda", layer.lambda)
            json.member("distance_left", left(layer))
          }
        }
      }
      json.member("tokens", tokens)
      json.member("bytes", bytes)
      json.member("seconds", seconds, decimals: 3)
    }
  }
}
