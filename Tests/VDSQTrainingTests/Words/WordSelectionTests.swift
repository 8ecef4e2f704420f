import TestSupport
import Testing

import VDSQTraining

@Suite struct WordSelectionTests {
  private struct Golden: Decodable {
    let labels, rounds: Int
    let targets: [Int]
    let cosines, gram: [Float]
    let candidates, chosen: [[Int]]
    let temperature: Float
  }

  /// Against numpy (Tools/reference/make_words.py).
  @Test func wordsAreThoseOfTheReference() throws {
    let golden = try Fixtures.json("words.json", as: Golden.self)
    let members = golden.targets.indices
    var selection = WordSelection(
      cosines: golden.cosines, gram: golden.gram, targets: golden.targets, labels: golden.labels,
      proposing: members.filter { $0 % 2 == 0 }, accepting: members.filter { $0 % 2 == 1 },
      temperatures: [0.02, 0.03, 0.05, 0.07, 0.1, 0.15])
    for round in 0..<golden.rounds {
      for label in 0..<golden.labels {
        selection.extend(label, by: golden.candidates[label], isFirst: round == 0)
      }
      selection.chooseTemperature()
    }
    #expect(selection.words == golden.chosen)
    #expect(selection.temperature == golden.temperature)
  }
}
