import TestSupport
import Testing
import VDSQFormat
import VDSQSemantics

import VDSQTraining

@Suite struct TrainingMethodTests {
  /// Names are the command line's, and summaries are there for all.
  @Test func namesAndSummaries() {
    #expect(
      TrainingMethod.allCases.map(\.rawValue) == [
        "joint", "frozen", "prior", "calibration", "low-rank", "knn", "finetune",
      ])
    for method in TrainingMethod.allCases {
      #expect(!method.summary.isEmpty && !method.summary.contains("\n"))
      #expect(TrainingMethod.summaries.contains("\(method.rawValue) (\(method.summary))"))
    }
    #expect(TrainingMethod(rawValue: "none") == nil)
  }

  /// Every method makes an adapter that classifies what it was trained on, and that a file keeps.
  @Test(arguments: TrainingMethod.allCases)
  func everyMethodTrains(_ method: TrainingMethod) throws {
    let fixture = try TrainingFixture()
    var options = TrainingOptions()
    options.method = method
    let adapter = try FewShotTrainer.adapter(
      model: fixture.model, labels: fixture.labels, examples: fixture.examples, options: options)
    #expect(adapter.labels.names == ["stop", "hello"])
    #expect(adapter.modelIdentity == fixture.model.description.identity)
    #expect((adapter.updates != nil) == (method == .finetune))
    let path = fixture.folder.path("a.vdsa")
    _ = try adapter.write(to: path, replace: false)
    let adapted = try AdaptedExamples(
      fixture.examples, adapter: try Adapter(path: path, model: fixture.model.description),
      model: fixture.model, options: options)
    let evaluation = Evaluation(
      of: adapted.classifier, features: adapted.examples.features,
      targets: adapted.examples.targets)
    #expect(evaluation.accuracy > 0.8, "\(method) \(evaluation.accuracy)")
  }

  @Test(arguments: TrainingMethod.allCases)
  func noExamplesAreRefused(_ method: TrainingMethod) throws {
    let fixture = try TrainingFixture()
    var options = TrainingOptions()
    options.method = method
    #expect {
      try FewShotTrainer.adapter(
        model: fixture.model, labels: fixture.labels, examples: [], options: options)
    } throws: { ($0 as? VDSQError)?.category == .usage }
  }
}
