import TestSupport
import Testing
import VDSQ
import VDSQConversion
import VDSQInference
import VDSQSemantics
import VDSQTraining

/// Adapters keep the prompt and the number of dimensions that they were trained with.
@Suite struct PromptedAdapterTests {
  private let folder: TemporaryFolder
  private let model: Model
  private let examples = TrainingFixture.texts(perLabel: 6)

  init() throws {
    folder = try TemporaryFolder()
    let checkpoint = SentenceModulesFile.shared.models.first { $0.name == "prompt-excluded-mean" }!
    _ = try Converter(folder: try checkpoint.write(to: folder), weights: .fp32).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    model = try Model(path: folder.path("m.vdsq"))
  }

  private func train(_ prompt: String?, dimensions: Int? = nil) throws -> String {
    var options = TrainingOptions()
    (options.run.prompt, options.run.dimensions) = (prompt, dimensions)
    let adapter = try FewShotTrainer.adapter(
      model: model, labels: Examples.labels(of: examples), examples: examples, options: options)
    _ = try adapter.write(to: folder.path("a.vdsa"), replace: true)
    return folder.path("a.vdsa")
  }

  private func classifier(
    _ adapter: String, _ prompt: String? = nil, dimensions: Int? = nil
  ) throws -> TextClassifier {
    var options = TextClassifier.Options()
    (options.run.prompt, options.run.dimensions) = (prompt, dimensions)
    return try TextClassifier(model: model, adapterFile: adapter, options: options)
  }

  @Test func thePromptOfTrainingIsUsed() throws {
    let texts = ["world hello", "stop yes and", "twelve"]
    let passage = try classifier(try train("passage")).classify(texts, top: 2)
    let again = try classifier(folder.path("a.vdsa"), "passage").classify(texts, top: 2)
    #expect(passage == again)
    for other in ["query", "none"] {
      let error = try #require(
        #expect(throws: VDSQError.self) { _ = try classifier(folder.path("a.vdsa"), other) })
      #expect(error.setting == .prompt && error.message.contains("the prompt passage"))
    }
    // The default prompt is another one.
    let standard = try classifier(try train(nil)).classify(texts, top: 2)
    #expect(standard != passage)
    let error = try #require(
      #expect(throws: VDSQError.self) { _ = try classifier(folder.path("a.vdsa"), "passage") })
    #expect(error.setting == .prompt && error.message.contains("the default prompt"))
  }

  @Test func theDimensionsOfTrainingAreUsed() throws {
    let texts = ["world hello", "stop yes and"]
    let path = try train(nil, dimensions: 16)
    let short = try classifier(path).classify(texts, top: 2)
    #expect(try classifier(path, dimensions: 16).classify(texts, top: 2) == short)
    let error = try #require(
      #expect(throws: VDSQError.self) { _ = try classifier(path, dimensions: 17) })
    #expect(error.setting == .dimensions && error.message.contains("16 dimensions"))
  }

  /// Finetuning goes through whole vectors of pooled states alone.
  @Test func finetuningIsRefused() throws {
    var options = TrainingOptions()
    options.method = .finetune
    #expect(throws: VDSQError.self) {
      _ = try FewShotTrainer.adapter(
        model: model, labels: Examples.labels(of: examples), examples: examples, options: options)
    }
  }

  /// An adapter that learns keeps its prompt, and is not learned on with another.
  @Test func onlineLearning() throws {
    var options = TextEncoder.Options()
    options.prompt = "passage"
    let encoder = try TextEncoder(path: model.path, options: options)
    let path = folder.path("online.vdsa")
    let learner = OnlineLearner(path: path, encoder: encoder)
    try learner.begin(
      try LabelSet(Examples.labels(of: examples), encoder: encoder, template: nil))
    #expect(try Adapter(path: path, model: encoder.container).labels.prompt == "passage")
    let other = OnlineLearner(
      path: path, encoder: try TextEncoder(path: model.path, options: TextEncoder.Options()))
    #expect(throws: VDSQError.self) { try other.forget("stop", context: "") }
  }
}
