package import VDSQ
package import VDSQFormat
package import VDSQSemantics

/// Verbalized machine learning (Xiao et al., arXiv 2406.04344): a language model predicts by a
/// description in words, and improves the description by its wrong answers. The description is the
/// parameter of the model; a person can read and change it.
///
///     let learner = try VerbalizedLearner(generator, target: target, options: options)
///     let fit = try learner.fit(training)
///     let answers = try learner.answers(to: texts, by: fit.description)
///
/// Both the learner and the optimizer are the same model with other prompts (docs/verbalize.md).
/// What they write is constrained, so that a small model keeps the format.
package struct VerbalizedLearner {
  /// How a description is learned.
  package struct Options: Sendable {
    /// The first description.
    package var description = "The pattern is not known yet."
    /// How often all training texts are seen.
    package var epochs = 1
    /// The number of texts of a step.
    package var batch = 10
    /// The share of the examples that judge descriptions, and are not in batches; from 0 to below
    /// 1.
    package var validation = 0.25
    /// Whether a description that judges worse than the best one before is left again. The paper
    /// goes on with each new one.
    package var keepsBest = false
    /// The maximum number of characters of an explanation before an answer; 0 for none.
    package var explanation = 0
    /// The maximum number of characters of a description.
    package var length = 500
    /// How the optimizer's tokens are chosen. The learner takes the likeliest.
    package var sampling = SamplingOptions()
    /// Of the order of examples.
    package var seed: UInt64 = 0

    package init() { sampling.temperature = 0.7 }
  }

  /// What one batch led to.
  package struct Step: Sendable {
    /// The mean loss of the batch before the step.
    package let batchLoss: Double
    /// The new description.
    package let description: String
    /// The mean loss of the new description on the validation texts.
    package let validationLoss: Double
  }

  /// A learned description.
  package struct Fit: Sendable {
    /// The one with the least loss on the validation texts, and the earliest of those.
    package let description: String
    /// Its loss.
    package let loss: Double
    /// The loss of the first description.
    package let firstLoss: Double
    /// What each batch led to.
    package let steps: [Step]
  }

  private let generator: TextGenerator
  private let target: VerbalTarget
  private let options: Options

  /// - Parameter generator: of a model that reads chats.
  /// - Throws: `usage` if it does not.
  package init(
    _ generator: TextGenerator, target: VerbalTarget, options: Options
  ) throws(VDSQError) {
    _ = try generator.chatFormat()
    (self.generator, self.target, self.options) = (generator, target, options)
  }

  /// The number of steps that learning from so many examples takes.
  package func steps(of examples: Int) -> Int {
    let training = examples - validationCount(of: examples)
    return options.epochs * ((training + options.batch - 1) / options.batch)
  }

  private func validationCount(of examples: Int) -> Int {
    min(examples - 1, Int(Double(examples) * options.validation))
  }

  /// Learns a description.
  ///
  /// - Parameters:
  ///   - examples: at least one.
  ///   - progress: called with the number of finished steps.
  /// - Throws: `badInput` if a prompt does not fit the model.
  package func fit(
    _ examples: [Examples.Example], progress: (Int) -> Void = { _ in }
  ) throws(VDSQError) -> Fit {
    var random = SplitMix64(seed: options.seed)
    let shuffled = examples.shuffled(using: &random)
    let judges = validationCount(of: examples.count)
    var training = Array(shuffled.dropFirst(judges))
    // Without validation texts, the training texts judge.
    let judged = judges > 0 ? Array(shuffled.prefix(judges)) : training
    progress(0)
    let firstLoss = try loss(of: judged, by: options.description)
    var best = (description: options.description, loss: firstLoss)
    var current = options.description
    var steps: [Step] = []
    for epoch in 0..<options.epochs {
      if epoch > 0 { training.shuffle(using: &random) }
      for first in stride(from: 0, to: training.count, by: options.batch) {
        let batch = Array(training[first..<min(first + options.batch, training.count)])
        let outputs = try answers(to: batch.map(\.text), by: current)
        current = try description(
          better: current, than: batch, outputs: outputs, step: UInt64(steps.count))
        let loss = try loss(of: judged, by: current)
        steps.append(
          Step(
            batchLoss: mean(of: outputs, batch), description: current, validationLoss: loss))
        if loss < best.loss { best = (current, loss) }
        if options.keepsBest { current = best.description }
        progress(steps.count)
      }
    }
    return Fit(
      description: best.description, loss: best.loss, firstLoss: firstLoss, steps: steps)
  }

  /// The mean loss of a description on labelled texts.
  package func loss(
    of examples: [Examples.Example], by description: String
  ) throws(VDSQError) -> Double {
    mean(of: try answers(to: examples.map(\.text), by: description), examples)
  }

  private func mean(of outputs: [String], _ examples: [Examples.Example]) -> Double {
    zip(outputs, examples).reduce(0) { $0 + target.loss($1.0, $1.1.label) }
      / Double(max(1, examples.count))
  }

  /// What the learner predicts: for each text the name of a class, or a decimal number.
  ///
  /// - Throws: `badInput` if a prompt does not fit the model.
  package func answers(
    to texts: [String], by description: String
  ) throws(VDSQError) -> [String] {
    var own = GenerationOptions()
    own.constraint = try target.constraint(explanation: options.explanation)
    own.maximumTokens = Self.mostTokens
    let session = try TextGenerator.Session(generator, options: own)
    defer { session.end() }
    session.reusesPrompts = true
    var answers: [String] = []
    for text in texts {
      let answer = try ask(
        session,
        VerbalPrompts.learner(
          text, description: description, target: target, explains: options.explanation > 0),
        what: "the learner")
      // The constraint leaves one line for an explanation, and the mark before the answer.
      let line =
        options.explanation > 0
        ? answer.drop { $0 != UInt8(ascii: "\n") }.dropFirst() : answer
      answers.append(
        String(decoding: line.dropFirst(VerbalPrompts.output.utf8.count), as: UTF8.self))
    }
    return answers
  }

  /// The optimizer's new description.
  private func description(
    better current: String, than batch: [Examples.Example], outputs: [String], step: UInt64
  ) throws(VDSQError) -> String {
    var own = GenerationOptions()
    own.sampling = options.sampling
    own.sampling.seed &+= step
    // A description of a few letters is none.
    own.constraint = try TextConstraint(
      pattern: "\(VerbalPrompts.descriptions)[^\\x00-\\x1F]{8,\(max(8, options.length))}")
    own.maximumTokens = Self.mostTokens
    let session = try TextGenerator.Session(generator, options: own)
    defer { session.end() }
    var answer = try ask(
      session, VerbalPrompts.optimizer(batch, outputs: outputs, description: current),
      what: "the optimizer, with \(counted(batch.count, "example"))"
    ).dropFirst(VerbalPrompts.descriptions.utf8.count)
    while answer.first == UInt8(ascii: " ") { answer.removeFirst() }
    while answer.last == UInt8(ascii: " ") { answer.removeLast() }
    // Blanks are no description.
    return answer.isEmpty ? current : String(decoding: answer, as: UTF8.self)
  }

  /// More tokens than characters that constraints allow. A text is complete before.
  private static let mostTokens = 4096

  /// The whole answer to a prompt.
  ///
  /// - Parameter what: whose prompt it is, for messages.
  /// - Throws: `badInput` if there is no room for the prompt and the answer.
  private func ask(
    _ session: TextGenerator.Session, _ prompt: String, what: String
  ) throws(VDSQError) -> ArraySlice<UInt8> {
    let chat = try generator.text(of: [ChatMessage(.user, prompt)])
    let answer: GeneratedText
    do throws(VDSQError) {
      answer = try chat.withBytes { (chat) throws(VDSQError) in
        try session.generate(chat, isChat: true) { _ in true }
      }
    } catch { throw error.within("\(what): \(Self.advice)") }
    // A part of an answer may be another answer.
    guard answer.finish != .length else {
      throw .badInput(
        "\(what): \(Self.advice): a prompt of \(counted(answer.promptTokens, "token")) leaves no "
          + "room for an answer")
    }
    return answer.bytes[...]
  }

  private static let advice = "lower the batch, or raise the context"
}
