package import VDSQSemantics
package import VDSQStreams

/// Writes the results of a vocabulary search, one line per state.
package struct SearchResultWriter {
  private let json: Bool
  private let output: OutputBuffer
  private let token: (Int32) -> [UInt8]

  /// - Parameter token: returns the text of a token's id.
  package init(json: Bool, to output: OutputBuffer, token: @escaping (Int32) -> [UInt8]) {
    self.json = json
    self.output = output
    self.token = token
  }

  /// Writes the tokens found for a state, and their cosines.
  package func write(_ found: [VocabularySearch.Result], _ tags: AnswerTags) {
    if json {
      let json = JSONWriter(output)
      tags.write("tokens", json) { writeArray(found, json) }
    } else {
      for (place, result) in found.enumerated() {
        if place > 0 { output.write("\t") }
        output.write(TokenText.shown(token(result.id), isField: true))
        output.write("\t")
        output.write(result.cosine, decimals: 4)
      }
      tags.writeColumns(to: output)
    }
    output.write("\n")
  }

  private func writeArray(_ found: [VocabularySearch.Result], _ json: JSONWriter) {
    json.array {
      for result in found {
        json.object {
          json.member("id", result.id)
          json.member("token", TokenText.shown(token(result.id)))
          json.member("cosine", result.cosine, decimals: 6)
        }
      }
    }
  }
}
