import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQStreams

/// Looks at candidates only, and measures on a sample how many of the exact best that finds.
struct ApproximateLogits {
  let top: Int
  let json: Bool
  let quiet: Bool

  func run(_ command: Logits, _ file: Container) throws(VDSQError) {
    let encoder = try command.encoding.open(
      command.model, more: file.vocabularyBytes
    ).encoder()
    let search = try VocabularySearch(
      file, shape: [encoder.vocabularySize, encoder.dimensions], approximate: true,
      kernels: encoder.kernels, threads: encoder.threads, capacity: top)
    let output = OutputBuffer(descriptor: 1)
    var recall = Recall()
    func flush() throws(VDSQError) {
      guard encoder.count > 0 else { return }
      try encoder.encode { (_, state) throws(VDSQError) in
        var found: [VocabularySearch.Result] = []
        search.search(state, approximate: true) { found.append($0) }
        recall.check(found, state, search)
        write(found, encoder, to: output)
      }
      try output.flush()
    }
    try command.input.forEachText(
      { (text, line) throws(VDSQError) in
        if !encoder.hasRoom { try flush() }
        encoder.add(text)
      }, pause: flush)
    if !quiet { StandardError.write(recall.report(top: search.capacity)) }
  }

  private func write(
    _ found: [VocabularySearch.Result], _ encoder: TextEncoder, to output: OutputBuffer
  ) {
    let tokens = found.map { String(decoding: encoder.token($0.id), as: UTF8.self) }
    if json {
      let document = JSONWriter(output)
      document.array {
        for (result, token) in zip(found, tokens) {
          document.object {
            document.member("id", result.id)
            document.member("token", token)
            document.member("cosine", result.cosine, decimals: 6)
          }
        }
      }
    } else {
      for (place, result) in found.enumerated() {
        if place > 0 { output.write("\t") }
        output.write(LineText.escaped(tokens[place]))
        output.write("\t")
        output.write(result.cosine, decimals: 4)
      }
    }
    output.write("\n")
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
