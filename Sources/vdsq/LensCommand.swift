import ArgumentParser
import VDSQConversion
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQSemantics

struct LensCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "lens",
    abstract: "Shows the state of every layer at every token in terms of the model's vocabulary.",
    discussion: """
      For each layer and token of a text: the tokens with the closest bases, the cosine to the \
      state of the previous layer, and the layer at which the final answer first appears. Writes a \
      self-contained page with a heat map (--output), or JSON to standard output.
      """)

  @Argument(help: "The .vdsq file of a causal or masked language model, or of a sentence encoder.")
  var model: String

  @Argument(help: "The text.")
  var text: String

  @Option(name: .shortAndLong, help: "An .html file to write.")
  var output: String?

  @Flag(help: "Write JSON to standard output.")
  var json = false

  @Option(help: "The number of tokens to keep for each state.")
  var top = 5

  @Option(help: "Softmax temperature of the cosines.")
  var temperature: Float = Classifier.defaultTemperature

  @Flag(help: "Replace the output file if it exists.")
  var force = false

  @OptionGroup var encoding: EncoderOptions

  func validate() throws {
    guard output != nil || json else { throw ValidationError("give --output, --json or both") }
    guard top >= 1, top <= 100 else { throw ValidationError("--top must be from 1 to 100") }
    guard temperature > 0, temperature.isFinite else {
      throw ValidationError("--temperature must be above 0")
    }
  }

  func execute() throws(VDSQError) {
    let vocabulary = try Container(path: model, kind: .model, decoding: .noWeights).vocabularyBytes
    let encoder = try encoding.open(model, more: vocabulary).encoder()
    let bytes = Array(text.utf8)
    let lens = try bytes.withBytes { (raw) throws(VDSQError) in
      try Lens(raw, encoder: encoder, top: top, temperature: temperature)
    }
    let document = LensDocument(
      lens: lens, model: Self.name(model), text: text,
      token: { String(decoding: encoder.token($0), as: UTF8.self) }
    ).json
    if json { print(document) }
    if let output {
      let file = try AtomicFile(path: output, replace: force)
      try file.write(Array(LensPage.html(document, title: text).utf8))
      try file.commit()
    }
  }

  private static func name(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}

/// Renders a lens as JSON.
struct LensDocument {
  let lens: Lens
  let model: String
  let text: String
  let token: (Int32) -> String

  var json: String {
    let tokens = lens.ids.map { "{\"id\": \($0), \"token\": \(quoted($0))}" }
    let layers = lens.cells.enumerated().map { layer, row in
      "{\"layer\": \(layer), \"positions\": [\(row.map(cell).joined(separator: ", "))]}"
    }
    let finals = lens.firstLayers.enumerated().map { position, first in
      let id = lens.cells.last![position].top[0].id
      return "{\"id\": \(id), \"token\": \(quoted(id)), \"first_layer\": \(first)}"
    }
    return """
      {"model": \(Provenance.quoted(model)), "text": \(Provenance.quoted(text)), \
      "tokens": [\(tokens.joined(separator: ", "))], "layers": [\(layers.joined(separator: ", "))], \
      "final": [\(finals.joined(separator: ", "))]}
      """
  }

  private func quoted(_ id: Int32) -> String { Provenance.quoted(token(id)) }

  private func cell(_ cell: Lens.Cell) -> String {
    let top = cell.top.map {
      "{\"id\": \($0.id), \"token\": \(quoted($0.id)), \"cosine\": \(fixed(Double($0.value), 6)), "
        + "\"probability\": \(fixed(Double($0.probability), 9))}"
    }
    let similarity = cell.similarity.map { fixed(Double($0), 6) } ?? "null"
    let rank = cell.rankOfFinal.map { "\($0)" } ?? "null"
    return "{\"top\": [\(top.joined(separator: ", "))], \"similarity\": \(similarity), "
      + "\"rank_of_final\": \(rank)}"
  }
}
