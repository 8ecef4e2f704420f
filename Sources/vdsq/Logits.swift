import ArgumentParser
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics

struct Logits: Command {
  static let configuration = CommandConfiguration(
    abstract: "Tells which tokens of the vocabulary the texts on standard input are closest to.",
    discussion: """
      Writes a line a text: tokens and the cosines of the text's state to their bases, best first. \
      An encoder's bases are its word embeddings. With --approx a first pass over two bits a \
      dimension finds candidates (convert with --coarse); every sixteenth text is looked up exactly \
      too, and the recall that this measures is written to standard error at the end.
      """)

  @Argument(help: "The .vdsq file, int8.")
  var model: String

  @Option(help: "How many tokens to write for each text.")
  var top = 10

  @Flag(help: "Look at candidates only: faster where the vocabulary is large.")
  var approx = false

  @Flag(help: "Write a JSON array a line: [{\"id\", \"token\", \"cosine\"}].")
  var json = false

  @OptionGroup var input: InputOptions
  @OptionGroup var encoding: EncoderOptions

  @Flag(name: .shortAndLong, help: "No report of the recall.")
  var quiet = false

  func validate() throws {
    guard top >= 1, top <= 65536 else { throw ValidationError("--top must be from 1 to 65536") }
  }

  func execute() throws(VDSQError) {
    let encoder = try encoding.encoder(model)
    let search = try VocabularySearch(
      encoder.container, shape: [encoder.vocabularySize, encoder.dimensions], approximate: approx, kernels: encoder.kernels,
      threads: encoder.threads, capacity: top)
    let output = OutputBuffer(descriptor: 1)
    var recall = Recall()
    func flush() throws(VDSQError) {
      guard encoder.count > 0 else { return }
      try encoder.encode { (_, state) throws(VDSQError) in
        var found: [VocabularySearch.Result] = []
        search.search(state, approximate: approx) { found.append($0) }
        if approx { recall.check(found, state, search) }
        write(found, encoder, to: output)
      }
      try output.flush()
    }
    try input.forEachText(
      { (text, line) throws(VDSQError) in
        try input.refuseInvalid(text, line)
        if !encoder.hasRoom { try flush() }
        encoder.add(text)
      }, pause: flush)
    if approx, !quiet { StandardError.write(recall.report(top: search.capacity)) }
  }

  private func write(
    _ found: [VocabularySearch.Result], _ encoder: TextEncoder, to output: OutputBuffer
  ) {
    if json { output.write("[") }
    for (place, result) in found.enumerated() {
      let token = String(decoding: encoder.token(result.id), as: UTF8.self)
      if json {
        output.write(place > 0 ? ", {\"id\": " : "{\"id\": ")
        output.write(Int(result.id))
        output.write(", \"token\": ")
        output.writeJSON(token)
        output.write(", \"cosine\": ")
        output.write(result.cosine, decimals: 6)
        output.write("}")
      } else {
        if place > 0 { output.write("\t") }
        output.write(token)
        output.write("\t")
        output.write(result.cosine, decimals: 4)
      }
    }
    output.write(json ? "]\n" : "\n")
  }
}

/// How many of the exact best an approximate search finds, on a sample of the texts.
struct Recall {
  private var texts = 0
  private var checked = 0
  private var wanted = 0
  private var found = 0

  /// Looks every sixteenth state up exactly, the first among them.
  mutating func check(
    _ approximate: [VocabularySearch.Result], _ state: UnsafePointer<Float>,
    _ search: VocabularySearch
  ) {
    defer { texts += 1 }
    guard texts % 16 == 0 else { return }
    checked += 1
    let ids = Set(approximate.map(\.id))
    search.search(state) {
      wanted += 1
      if ids.contains($0.id) { found += 1 }
    }
  }

  func report(top: Int) -> String {
    guard checked > 0 else { return "" }
    let share = fixed(Double(found) / Double(wanted), 4)
    return "recall@\(top) \(share), measured on \(checked) of \(texts) texts\n"
  }
}
