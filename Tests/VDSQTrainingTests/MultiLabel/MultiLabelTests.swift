import Foundation
import TestSupport
import Testing
import VDSQ
import VDSQFormat
import VDSQSemantics
import VDSQStreams

import VDSQTraining

/// Texts with any number of labels.
@Suite struct MultiLabelTests {
  private func texts(_ lines: String) throws -> [MultiLabelText] {
    try MultiLabelReader().texts(in: try TextFile(Array(lines.utf8), path: "x"))
  }

  private func message(_ body: () throws -> Void) -> String? {
    do { try body() } catch { return (error as? VDSQError)?.message }
    return nil
  }

  @Test func listsOfLabelsAreRead() throws {
    let read = try texts(
      """
      {"text": "t", "labels": ["a", "b\\u00e9, \\"c\\"", "a"]}
      {"labels": [], "text": "u"}

      {"text": "v", "labels": ["a"], "more": 1}
      """)
    #expect(read.map(\.labels) == [["a", "b\u{E9}, \"c\""], [], ["a"]])
    #expect(MultiLabelText.labels(of: read) == ["a", "b\u{E9}, \"c\""])
    #expect(try texts("{\"text\": \"t\", \"labels\": [3, -1]}").map(\.labels) == [["3", "-1"]])
    let has = try MultiLabelText.membership(of: read, among: ["a", "b\u{E9}, \"c\""])
    #expect(has == [[true, false, true], [true, false, false]])
  }

  @Test(arguments: [
    ("{\"text\": \"t\", \"labels\": \"a\"}", "is not a list of labels"),
    ("{\"text\": \"t\"}", "no field labels"), ("{\"labels\": []}", "no field text"),
    ("{\"text\": \"t\", \"labels\": [null]}", "neither a text nor an integer"),
    ("{\"text\": \"t\", \"labels\": [[\"a\"]]}", "neither a text nor an integer"),
    ("{\"text\": \"t\", \"labels\": [1.5]}", "is the number 1.5"),
    ("{\"text\": \"t\", \"labels\": [\"\"]}", "is empty"),
    ("{\"text\": \"t\", \"labels\": [1, \"one\"]}", "write all labels in one way"),
  ])
  func linesThatAreWrong(_ line: String, _ what: String) {
    let found = message { _ = try texts("\n" + line) }
    #expect(found?.hasPrefix("x: line 2: ") == true && found!.contains(what), "\(found ?? "")")
  }

  /// Two labels that come together, alone, and not at all.
  @Test func adaptersGiveAnyNumberOfLabels() throws {
    let fixture = try TrainingFixture()
    let words = ["world", "twelve", "a café", "yes", "go on", "the", "is", "12"]
    let texts = words.flatMap { word in
      [
        MultiLabelText(text: "stop \(word)", labels: ["stop"]),
        MultiLabelText(text: "\(word) hello", labels: ["hello"]),
        MultiLabelText(text: "stop \(word) hello", labels: ["hello", "stop"]),
        MultiLabelText(text: word, labels: []),
      ]
    }
    let adapter = try MultiLabelTrainer.adapter(model: fixture.model, texts: texts)
    let path = fixture.folder.path("a.vdsa")
    try adapter.write(to: path, replace: false)
    let read = try Adapter(path: path, model: fixture.model.description)
    #expect(read.labels.names == ["stop", "hello"])
    #expect(read.thresholds == adapter.thresholds && read.thresholds?.count == 2)
    let evaluation = try MultiLabelEvaluation(
      of: read, texts, model: fixture.model, options: TrainingOptions())
    #expect(evaluation.micro.f1 > 0.8, "\(evaluation.micro)")
    // The facade gives the same labels.
    let classifier = try TextClassifier(model: fixture.model, adapter: read)
    #expect(classifier.givesSeveralLabels)
    let predictions = try classifier.classify(texts.map(\.text))
    let exact = zip(predictions, texts).count { Set($0.labels) == Set($1.labels) }
    #expect(exact == evaluation.exact)
    #expect(try classifier.classify("").labels.isEmpty)
    for candidate in predictions.flatMap(\.candidates) {
      #expect(candidate.probability >= 0 && candidate.probability <= 1)
    }
    // Nothing takes it for an adapter that chooses one label.
    #expect(
      message {
        _ = try AdaptedExamples(
          fixture.examples, adapter: read, model: fixture.model, options: TrainingOptions())
      }?.contains("any number of labels") == true)
    let learner = OnlineLearner(
      path: path,
      encoder: try OnlineLearner.encoder(for: path, model: fixture.model, run: RunOptions()))
    #expect(message { _ = try learner.undo() }?.contains("any number of labels") == true)
    let single = try FewShotTrainer.adapter(
      model: fixture.model, labels: fixture.labels, examples: fixture.examples)
    #expect(
      message {
        _ = try MultiLabelEvaluation(
          of: single, texts, model: fixture.model, options: TrainingOptions())
      }?.contains("chooses one label") == true)
  }

  @Test func labelsThatNoTextHas() throws {
    let fixture = try TrainingFixture()
    let texts = [
      MultiLabelText(text: "stop", labels: ["a"]), MultiLabelText(text: "hello", labels: []),
    ]
    func failure(_ labels: String) -> String? {
      message {
        _ = try MultiLabelTrainer.adapter(
          model: fixture.model, labels: try Label.parse(list: labels), texts: texts)
      }
    }
    #expect(failure("a,b")?.contains("no text has the label b") == true)
    #expect(failure("b,c")?.contains("the label a is not among the labels: b, c") == true)
  }
}
