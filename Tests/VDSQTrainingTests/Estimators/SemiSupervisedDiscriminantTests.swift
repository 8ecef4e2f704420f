import TestSupport
import Testing
import VDSQFormat
import VDSQKernels
import VDSQSemantics

import VDSQTraining

/// Texts without labels, against numpy (Tools/reference/make_unlabelled.py), and pools that would
/// mislead.
@Suite struct SemiSupervisedDiscriminantTests {
  private struct Golden: Decodable {
    let anchors: [[Float]]
    let texts: [[Float]]
    let truth: [Int]
    let logits: [[Float]]
  }

  private let golden: Golden
  private let arithmetic = MatrixArithmetic(kernels: KernelTable.available()[0])

  init() throws { golden = try Fixtures.json("unlabelled.json", as: Golden.self) }

  private func labels(_ anchors: [[Float]]) -> LabelSet {
    LabelSet(
      names: anchors.indices.map { ["a", "b", "c"][$0] }, dimensions: anchors[0].count,
      anchors: anchors.flatMap { $0 })
  }

  private func matrix(_ rows: [[Float]]) -> FeatureMatrix {
    FeatureMatrix(rows.flatMap { $0 }, columns: rows[0].count)
  }

  private func head(_ outcome: SemiSupervisedDiscriminant.Outcome) throws -> LinearHead {
    guard case .head(let head) = outcome else {
      throw VDSQError(.internalFault, "the texts were refused")
    }
    return head
  }

  private func right(_ head: LinearHead) -> Double {
    let logits = head.logits(golden.texts.flatMap { $0 }, arithmetic)
    let right = golden.truth.indices.count { i in
      let own = logits[3 * i..<3 * i + 3]
      return own.indices.max { own[$0] < own[$1] }! - 3 * i == golden.truth[i]
    }
    return Double(right) / Double(golden.truth.count)
  }

  @Test func wordsAloneAreTheReferences() throws {
    let head = try head(
      SemiSupervisedDiscriminant(
        labels(golden.anchors), texts: matrix(golden.texts), arithmetic
      ).head())
    var logits = head.logits(golden.texts.flatMap { $0 }, arithmetic)
    for start in stride(from: 0, to: logits.count, by: 3) {
      let mean = logits[start..<start + 3].reduce(0, +) / 3
      for i in start..<start + 3 { logits[i] -= mean }
    }
    let size = (logits.reduce(0) { $0 + $1 * $1 } / Float(logits.count)).squareRoot()
    #expect(relativeError(logits.map { $0 / size }, golden.logits.flatMap { $0 }) < 2e-3)
  }

  @Test func aFewExamplesAndTextsKnowMoreThanExamples() throws {
    let members = Array(0..<6)
    let set = TrainingSet(
      matrix(members.map { golden.texts[$0] }), targets: members.map { golden.truth[$0] },
      anchors: labels(golden.anchors))
    let start = try GaussianClasses(set, members, priorCount: 4, arithmetic)
      .linearHead(shrinkageCount: 100, arithmetic)
    let labelled = set.statistics(of: members, hasScatter: true, arithmetic)
    let head = try head(
      SemiSupervisedDiscriminant(set.anchors, texts: matrix(golden.texts), arithmetic)
        .head(labelled, set.prior(labelled), start: start, priorCount: 4))
    #expect(right(head) > right(start), "\(right(start)), \(right(head))")
  }

  @Test func fewTextsAreRefused() throws {
    let outcome = try SemiSupervisedDiscriminant(
      labels(golden.anchors), texts: matrix(Array(golden.texts.prefix(50))), arithmetic
    ).head()
    guard case .refused(.fewerThan(let least)) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(least == 200)
  }

  /// Texts of one label for the most part, of two.
  @Test func unevenTextsAreRefused() throws {
    let texts = golden.truth.indices.filter { golden.truth[$0] == 0 }.map { golden.texts[$0] }
    let many = (0..<1200).map { texts[$0 % texts.count] }
    let outcome = try SemiSupervisedDiscriminant(
      labels(Array(golden.anchors.prefix(2))), texts: matrix(many), arithmetic
    ).head()
    guard case .refused(.uneven(let share)) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(share > 0.6)
  }
}
