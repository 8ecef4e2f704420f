import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQSemantics

import VDSQTraining

@Suite struct OnlineLearnerTests {
  private let folder: TemporaryFolder
  private let encoder: TextEncoder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path("a.vdsa")
    _ = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    encoder = try TextEncoder(path: folder.path("m.vdsq"), options: .init())
  }

  private func labels(_ list: String) throws -> LabelSet {
    try LabelSet(Label.parse(list: list), encoder: encoder, template: nil)
  }

  private func begun(_ list: String = "greeting=hello;order=stop") throws -> OnlineLearner {
    let learner = OnlineLearner(path: path, encoder: encoder)
    try learner.begin(labels(list))
    return learner
  }

  private func learn(
    _ learner: OnlineLearner, _ text: String, _ label: String
  ) throws -> OnlineLearner.Outcome {
    try learner.learn(Examples.Example(text: text, label: label), context: "line 7")
  }

  private func failure(_ body: () throws -> Void) -> VDSQError? {
    do { try body() } catch { return error as? VDSQError }
    return nil
  }

  /// An outcome is the answer of a classifier over the file as it was before.
  @Test func outcomesAreAnswersOfBefore() throws {
    let learner = try begun()
    #expect(learner.count == 0 && learner.exists)
    let texts = [("hello world", "order"), ("stop now", "order"), ("hello", "greeting")]
    for (i, (text, label)) in texts.enumerated() {
      let adapter = try Adapter(path: path, model: encoder.container)
      let classifier = try Classifier(adapter: adapter, kernels: encoder.kernels)
      let scores = classifier.scores(of: try encoder.vector(of: text))
      let outcome = try learn(learner, text, label)
      #expect(outcome.predicted == classifier.labels.names[scores.best])
      #expect(abs(outcome.probability - scores.probabilities[scores.best]) < 1e-4)
      #expect(outcome.count == i + 1 && learner.count == i + 1)
    }
    #expect(learner.labels == ["greeting", "order"])
  }

  @Test func correctionsAreLearned() throws {
    let learner = try begun()
    #expect(try learn(learner, "hello world", "order").predicted == "greeting")
    for _ in 0..<3 { _ = try learn(learner, "hello world", "order") }
    let corrected = try learn(learner, "hello world", "order")
    #expect(corrected.predicted == "order" && corrected.probability > 0.5)
  }

  @Test func theLastExamplesAreTakenBack() throws {
    let learner = try begun()
    let before = try Data(contentsOf: URL(filePath: path))
    _ = try learn(learner, "hello world", "order")
    _ = try learn(learner, "stop", "greeting")
    #expect(try Data(contentsOf: URL(filePath: path)) != before)
    #expect(try learner.undo() == "greeting" && learner.count == 1)
    #expect(try learner.undo() == "order" && learner.count == 0)
    #expect(try Data(contentsOf: URL(filePath: path)) == before)
    let refused = failure { _ = try learner.undo() }
    #expect(refused?.category == .usage && refused?.message.contains("only the last 16") == true)
  }

  @Test func labelsComeAndGo() throws {
    let learner = try begun()
    _ = try learn(learner, "hello world", "greeting")
    try learner.add(labels("noise"))
    #expect(learner.labels == ["greeting", "order", "noise"])
    #expect(failure { try learner.add(labels("noise")) }?.category == .usage)
    _ = try learn(learner, "café", "noise")
    try learner.forget("greeting", context: "x")
    #expect(learner.labels == ["order", "noise"] && learner.count == 1)
    let unknown = failure { try learner.forget("greeting", context: "x") }
    // Adding the label would not help.
    #expect(unknown?.category == .badInput && unknown?.setting == nil)
    #expect(unknown?.message == "x: greeting is not among the labels of \(path): order, noise")
  }

  /// Nothing is learned of a text that has nothing to read, with a template around it or without.
  @Test(arguments: ["greeting=hello;order=stop", nil])
  func blankTexts(_ plain: String?) throws {
    let learner = try begun()
    if plain == nil {
      try FileManager.default.removeItem(atPath: path)
      try learner.begin(
        try LabelSet(
          Label.parse(list: "greeting=hello;order=stop"), encoder: encoder,
          template: try Template("say {text}")))
    }
    for text in ["", " ", "\u{AD}", "\u{301}"] {
      #expect(try Array(text.utf8).withUnsafeBytes { try learner.isBlank($0) }, "\(text)")
      let refused = failure { _ = try learn(learner, text, "greeting") }
      #expect(refused?.category == .badInput)
      #expect(refused?.message == "line 7: the text has nothing to read")
    }
    #expect(try Array("say".utf8).withUnsafeBytes { try !learner.isBlank($0) })
    #expect(try learn(learner, "hello", "greeting").count == 1)
  }

  /// A label that is not the file's leaves the file as it is.
  @Test func unknownLabels() throws {
    let learner = try begun()
    _ = try learn(learner, "hello", "greeting")
    let before = try Data(contentsOf: URL(filePath: path))
    let refused = failure { _ = try learn(learner, "hello", "other") }
    #expect(refused?.category == .badInput && refused?.message.hasPrefix("line 7: other") == true)
    #expect(refused?.setting == .labels)
    #expect(try Data(contentsOf: URL(filePath: path)) == before && learner.count == 1)
  }

  /// Beginning again is nothing where the labels are the same, in whatever order, and refused
  /// otherwise.
  @Test func beginningAgain() throws {
    let learner = try begun()
    _ = try learn(learner, "hello", "greeting")
    let again = try begun("order=stop;greeting=hello")
    #expect(try learn(again, "stop", "order").count == 2)
    let refused = failure { _ = try begun("greeting,noise") }
    #expect(refused?.category == .usage && refused?.setting == .labels)
    #expect(refused?.message.contains("greeting, order") == true)
    let absent = OnlineLearner(path: folder.path("absent.vdsa"), encoder: encoder)
    #expect(!absent.exists && absent.labels.isEmpty)
    #expect(failure { _ = try learn(absent, "hello", "greeting") }?.category == .missingInput)
  }

  /// Each of two learners of one file learns what the other did.
  @Test func twoLearnersOfOneFile() throws {
    let (a, b) = (try begun(), try begun())
    #expect(try learn(a, "hello", "order").count == 1)
    #expect(try learn(b, "stop", "order").count == 2)
    try a.add(labels("noise"))
    #expect(try learn(b, "café", "noise").count == 3)
    #expect(try a.undo() == "noise" && a.count == 2)
  }

  /// The template of the beginning goes around every example, and into the adapter.
  @Test func theTemplateIsKept() throws {
    let template = try Template("say {text} now")
    let learner = OnlineLearner(path: path, encoder: encoder)
    let labels = try Label.parse(list: "greeting=hello;order=stop")
    try learner.begin(try LabelSet(labels, encoder: encoder, template: template))
    let other = OnlineLearner(path: path, encoder: encoder)
    #expect(try other.template() == template)
    _ = try learn(other, "stop it", "greeting")
    let adapter = try Adapter(path: path, model: encoder.container)
    #expect(adapter.labels.template == template)
    let plain = OnlineLearner(path: folder.path("b.vdsa"), encoder: encoder)
    try plain.begin(try LabelSet(labels, encoder: encoder, template: try Template("{}")))
    _ = try learn(plain, "say stop it now", "greeting")
    let same = try Adapter(path: folder.path("b.vdsa"), model: encoder.container)
    #expect(adapter.labels.anchors == same.labels.anchors && adapter.bytes == same.bytes)
    let state = try encoder.vector(of: "hello world")
    let (a, b) = try (
      Classifier(adapter: adapter, kernels: encoder.kernels).scores(of: state),
      Classifier(adapter: same, kernels: encoder.kernels).scores(of: state)
    )
    #expect(a.probabilities == b.probabilities)
    // It begins again with the same template only.
    try other.begin(try LabelSet(labels, encoder: encoder, template: template))
    let error = failure {
      try other.begin(
        try LabelSet(labels, encoder: encoder, template: try Template("{text} now")))
    }
    #expect(error?.category == .usage && error?.message.contains(template.source) == true)
  }
}
