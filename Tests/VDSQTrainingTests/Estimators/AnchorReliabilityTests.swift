import TestSupport
import Testing
import VDSQKernels
import VDSQSemantics

import VDSQTraining

/// How far label words are trusted, against integration in numpy
/// (Tools/reference/make_anchor_reliability.py).
@Suite struct AnchorReliabilityTests {
  private struct Golden: Decodable {
    let name: String
    let anchors: [[Float]]
    let states: [[Float]]
    let targets: [Int]
    let trust: [Float]
  }

  private let arithmetic = MatrixArithmetic(kernels: KernelTable.available()[0])

  private func trust(_ golden: Golden, saysNothing: Int? = nil) -> [Float] {
    let labels = golden.anchors.count, d = golden.anchors[0].count
    let set = TrainingSet(
      FeatureMatrix(golden.states.flatMap { $0 }, columns: d), targets: golden.targets,
      anchors: LabelSet(
        names: (0..<labels).map { "\($0)" }, dimensions: d,
        anchors: [Float](repeating: 1, count: labels * d)))
    let statistics = set.statistics(
      of: Array(golden.targets.indices), hasScatter: false, arithmetic)
    return AnchorReliability(
      anchors: golden.anchors.flatMap { $0 }, statistics, columns: d,
      saysNothing: (0..<labels).map { $0 == saysNothing }
    ).trust
  }

  @Test func trustIsTheReferences() throws {
    for golden in try Fixtures.json("anchor-reliability.json", as: [Golden].self) {
      for (found, expected) in zip(trust(golden), golden.trust) {
        #expect(abs(found - expected) < 2e-3, "\(golden.name): \(found), not \(expected)")
      }
    }
  }

  @Test func namesThatSayNothingAreNotTrusted() throws {
    let golden = try Fixtures.json("anchor-reliability.json", as: [Golden].self)[0]
    let found = trust(golden, saysNothing: 1)
    #expect(found[1] == 0 && found[0] > 0.9 && found[2] > 0.9)
  }

  @Test(arguments: ["0", "12", "LABEL_3", "label3", "class 7", "Class-1"])
  func numbersSayNothing(_ name: String) { #expect(Label(name: name).saysNothing) }

  @Test(arguments: ["label", "class", "a1", "LABEL_x", "3rd", "labels", "", "_"])
  func namesSaySomething(_ name: String) { #expect(!Label(name: name).saysNothing) }

  @Test func wordsOfANumberCount() {
    #expect(!Label(name: "0", words: ["terrible"]).saysNothing)
  }
}
