import Foundation
import Synchronization
import TestSupport
import Testing
import VDSQ
import VDSQTraining

@Suite struct TextClassifierTests {
  private let labels = [Label(name: "hello"), Label(name: "stop", words: ["stop", "world"])]
  private let texts = [
    "hello world", "", "stop it, stop", String(repeating: "hello ", count: 200), "naïve café 12",
  ]

  private func options(
    _ policy: MemoryPolicy = .resident, threads: Int = 1, concurrency: Int = 1
  ) -> TextClassifier.Options {
    var options = TextClassifier.Options()
    options.run.threads = threads
    options.run.memoryPolicy = policy
    options.run.concurrency = concurrency
    return options
  }

  @Test func predictionsAreThoseOfTheEncoder() throws {
    let fixture = try ConvertedModel()
    let classifier = try TextClassifier(model: fixture.model, labels: labels)
    let predictions = try classifier.classify(texts, top: 2)
    #expect(classifier.labels == ["hello", "stop"] && predictions.count == texts.count)
    let encoder = try TextEncoder(path: fixture.model.path, options: .init())
    let anchors = try LabelSet(labels, encoder: encoder, template: nil)
    let scorer = try Classifier(labels: anchors, kernels: encoder.kernels)
    for (text, prediction) in zip(texts, predictions) where !text.isEmpty {
      let scores = scorer.scores(of: try encoder.vector(of: text), top: 2)
      #expect(prediction.candidates.map(\.index) == Array(scores.ranking))
      #expect(
        prediction.candidates.map(\.probability)
          == scores.ranking.map { scores.probabilities[$0] })
      #expect(prediction.candidates.map(\.cosine) == scores.ranking.map { scores.cosines[$0] })
      #expect(prediction.label == classifier.labels[scores.best])
    }
    #expect(predictions.map(\.isTruncated) == [false, false, false, true, false])
    #expect(try classifier.classify(texts[0], top: 2) == predictions[0])
    #expect(try classifier.classify([]).isEmpty)
  }

  /// A text with nothing to read gives no label an advantage.
  @Test(arguments: ["", " \t", "\u{3000}\u{200B}", "\u{1}\u{FEFF}", "\u{FFFD}"])
  func blankTexts(_ text: String) throws {
    let fixture = try ConvertedModel()
    let classifier = try TextClassifier(model: fixture.model, labels: labels)
    let blank = try classifier.classify(text, top: 2)
    #expect(blank.isBlank && blank.candidates.map(\.probability) == [0.5, 0.5])
    #expect(blank.candidates.map(\.cosine) == [0, 0] && blank.candidates.map(\.index) == [0, 1])
    #expect(try !classifier.classify("a").isBlank)
  }

  /// The same inside a template around texts, whose own words are not the text's.
  @Test(arguments: ["", " \t", "\u{200B}", "\u{FFFD}", "\u{AD}\u{FE0F}", "\u{301}"])
  func blankTextsInTemplates(_ text: String) throws {
    for (name, template) in [
      ("bert-mean", "hello {text} stop"), ("bert-mean", "{text}stop"),
      ("language-models/bert", "hello {text} [MASK]"), ("language-models/gpt2", "hello{text}"),
    ] {
      // Byte pairs leave something of every character.
      if name.hasSuffix("gpt2"), ["\u{FFFD}", "\u{301}"].contains(text) { continue }
      let fixture = try ConvertedModel(name)
      var options = TextClassifier.Options()
      options.template = try Template(template)
      let classifier = try TextClassifier(model: fixture.model, labels: labels, options: options)
      let blank = try classifier.classify(text, top: 2)
      #expect(blank.isBlank && blank.candidates.map(\.probability) == [0.5, 0.5], "\(name)")
      #expect(try !classifier.classify("a").isBlank, "\(name)")
    }
  }

  @Test func oneLabelIsNoChoice() throws {
    let fixture = try ConvertedModel()
    for labels in [[Label(name: "a")], [Label(name: "a"), .outOfScope("b")]] {
      #expect { try TextClassifier(model: fixture.model, labels: labels) } throws: {
        ($0 as? VDSQError)?.category == .usage
      }
    }
  }

  @Test(arguments: [MemoryPolicy.resident, .stream, .release], [false, true])
  func everyPolicyAnswersAlike(_ policy: MemoryPolicy, compressed: Bool) throws {
    // Compressed layers have no map whose pages could be released.
    if compressed, policy == .release { return }
    let fixture = try ConvertedModel(compress: compressed)
    let uncompressed = try ConvertedModel()
    let plain = try TextClassifier(model: uncompressed.model, labels: labels)
    let wanted = try plain.classify(texts)
    let classifier = try TextClassifier(
      model: fixture.model, labels: labels, options: options(policy, threads: 2))
    #expect(try classifier.classify(texts) == wanted)
  }

  /// Many threads over one model: each gets what one thread would, whatever the policy.
  @Test(arguments: [MemoryPolicy.resident, .stream, .release])
  func severalCallersAtATime(_ policy: MemoryPolicy) throws {
    let fixture = try ConvertedModel()
    let classifier = try TextClassifier(
      model: fixture.model, labels: labels, options: options(policy, concurrency: 3))
    let wanted = try classifier.classify(texts)
    let wrong = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: 24) { i in
      let all = Array(texts[(i % texts.count)...] + texts[..<(i % texts.count)])
      let expected = Array(wanted[(i % texts.count)...] + wanted[..<(i % texts.count)])
      let answers = try? classifier.classify(all)
      if answers != expected { wrong.withLock { $0 += 1 } }
    }
    #expect(wrong.withLock { $0 } == 0)
  }

  @Test func anAdaptersFileIsFollowed() throws {
    let fixture = try ConvertedModel()
    let path = fixture.folder.path("a.vdsa")
    let encoder = try TextEncoder(path: fixture.model.path, options: .init())
    let anchors = try LabelSet(labels, encoder: encoder, template: nil)
    func write(favouring label: Int) throws -> Adapter {
      let head = LinearHead(
        weights: [Float](repeating: 0, count: 2 * anchors.dimensions),
        bias: label == 0 ? [1, 0] : [0, 1])
      let adapter = Adapter(
        labels: anchors, head: .linear(head), modelIdentity: encoder.container.identity)
      try adapter.write(to: path, replace: true)
      return adapter
    }
    let first = try write(favouring: 0)
    let classifier = try TextClassifier(model: fixture.model, adapterFile: path)
    let fixed = try TextClassifier(model: fixture.model, adapter: first)
    #expect(try classifier.classify("stop").label == "hello")
    _ = try write(favouring: 1)
    #expect(try classifier.classify("hello").label == "stop")
    #expect(try fixed.classify("hello").label == "hello")
    // A file that is gone leaves the adapter in use.
    try FileManager.default.removeItem(atPath: path)
    #expect(try classifier.classify("hello").label == "stop")
  }

  @Test func settingsOutOfRangeAreNamed() throws {
    let fixture = try ConvertedModel()
    func setting(
      _ change: (inout TextClassifier.Options) -> Void
    ) -> VDSQError.Setting? {
      var options = TextClassifier.Options()
      change(&options)
      do throws(VDSQError) {
        _ = try TextClassifier(model: fixture.model, labels: labels, options: options)
        return nil
      } catch {
        return error.setting
      }
    }
    #expect(setting { $0.run.threads = 0 } == .threads)
    #expect(setting { $0.run.maximumTokens = 1 } == .maximumTokens)
    #expect(setting { $0.run.memoryBudget = 1 << 20 } == .memoryBudget)
    #expect(setting { $0.temperature = 0 } == .temperature)
    #expect(setting { _ in } == nil)
  }

  @Test func templatesGoAroundTexts() throws {
    let fixture = try ConvertedModel()
    var options = TextClassifier.Options()
    options.template = try Template("stop {text} world")
    let framed = try TextClassifier(model: fixture.model, labels: labels, options: options)
    var bare = TextClassifier.Options()
    bare.template = try Template("{}")
    let plain = try TextClassifier(model: fixture.model, labels: labels, options: bare)
    let a = try framed.classify("hello"), b = try plain.classify("stop hello world")
    #expect(a.candidates == b.candidates && a.tokens == b.tokens)
    // A long text loses its end, not the template's.
    let long = try framed.classify(String(repeating: "hello ", count: 100))
    #expect(long.isTruncated && long.tokens <= framed.maximumTokens)
  }

  /// An adapter brings its template and label words along; another template is refused.
  @Test func anAdapterRemembersItsTemplate() throws {
    let fixture = try ConvertedModel()
    let examples = (0..<8).map {
      $0 % 2 == 0
        ? Examples.Example(text: "stop \($0)", label: "stop")
        : Examples.Example(text: "hello \($0)", label: "hello")
    }
    let template = try Template("say {text} now")
    var training = TrainingOptions()
    training.template = template
    let path = fixture.folder.path("a.vdsa")
    try FewShotTrainer.adapter(
      model: fixture.model, labels: labels, examples: examples, options: training
    ).write(to: path, replace: false)
    let adapter = try Adapter(path: path, model: fixture.model.description)
    #expect(adapter.labels.template == template)
    #expect(adapter.labels.words == [["hello"], ["stop", "world"]])

    // What the encoder reads is the text inside the template.
    let encoder = try fixture.model.encoder(
      RunOptions(), intermediateFeatures: adapter.intermediateFeatures)
    let scorer = try Classifier(adapter: adapter, kernels: encoder.kernels)
    let classifier = try TextClassifier(model: fixture.model, adapterFile: path)
    let scores = scorer.scores(of: try encoder.vector(of: "say stop it now"), top: 2)
    #expect(
      try classifier.classify("stop it").probability == scores.probabilities[scores.best])

    var options = TextClassifier.Options()
    options.template = template
    #expect(
      try TextClassifier(model: fixture.model, adapterFile: path, options: options)
        .classify("stop it") == classifier.classify("stop it"))
    for other in ["say {text}", "about {}"] {
      options.template = try Template(other)
      #expect {
        try TextClassifier(model: fixture.model, adapterFile: path, options: options)
      } throws: {
        let error = $0 as? VDSQError
        return error?.category == .usage && error?.message.contains(template.source) == true
      }
    }
  }

  /// A file of an early version does not say with which template it was trained, and takes any.
  @Test func adaptersWithoutATemplateRecordTakeAny() throws {
    let fixture = try ConvertedModel()
    let path = fixture.folder.path("old.vdsa")
    let encoder = try fixture.model.encoder(RunOptions())
    let adapter = Adapter(
      labels: try LabelSet(labels, encoder: encoder, template: nil), head: nil,
      modelIdentity: fixture.model.description.identity)
    var contents = adapter.contents
    let entries = contents.metadata.entries.filter { $0.key != "template" }
    contents.metadata = Metadata()
    for entry in entries { contents.metadata.set(entry.key, entry.value) }
    try contents.write(to: path, replace: false)
    var options = TextClassifier.Options()
    options.template = try Template("say {text} now")
    let classifier = try TextClassifier(model: fixture.model, adapterFile: path, options: options)
    let plain = try TextClassifier(model: fixture.model, adapterFile: path)
    #expect(try classifier.classify("stop it") == plain.classify("say stop it now"))
  }
}
