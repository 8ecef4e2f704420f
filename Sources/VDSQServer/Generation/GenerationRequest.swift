import NIOConcurrencyHelpers
import VDSQ
import VDSQCheckpoints
import VDSQConversion
import VDSQFormat
import VDSQSemantics

/// What a request asks a language model to write.
final class GenerationRequest: @unchecked Sendable {
  /// What the model continues.
  enum Prompts: Sendable {
    case texts([String])
    /// The messages of a chat, which the model answers.
    case chat([ChatMessage])
  }

  /// What a text must be. It is compiled where that holds nobody up.
  enum Form: Sendable {
    case choices([String])
    case pattern(String)
    case schema(JSON)

    /// - Throws: `usage`, naming what is not understood.
    func constraint() throws(VDSQError) -> TextConstraint {
      switch self {
      case .choices(let choices): try TextConstraint(choices: choices)
      case .pattern(let pattern): try TextConstraint(pattern: pattern)
      case .schema(let schema):
        try TextConstraint(pattern: try JSONSchemaPattern(schema, path: "response_format").pattern)
      }
    }
  }

  let model: ServedModel.Description
  let prompts: Prompts
  let form: Form?
  // The engine's own.
  private(set) var options: GenerationOptions
  /// The prompts as the model reads them; nil as long as nothing has begun.
  private(set) var texts: [[UInt8]]?
  /// The next prompt to begin; nil for none.
  var nextPrompt: Int? = 0
  let answer: CompletionAnswer
  private let cancellation = NIOLockedValueBox(false)

  init(
    model: ServedModel.Description, prompts: Prompts, form: Form?, options: GenerationOptions,
    answer: CompletionAnswer
  ) {
    (self.model, self.prompts, self.form, self.options) = (model, prompts, form, options)
    self.answer = answer
  }

  var isChat: Bool { if case .chat = prompts { true } else { false } }

  /// Makes the prompts and the constraint for a model.
  ///
  /// - Throws: `usage` if the model reads no such chat, or the constraint is not understood.
  func prepare(_ generator: TextGenerator) throws(VDSQError) {
    switch prompts {
    case .texts(let prompts): texts = prompts.map { Array($0.utf8) }
    case .chat(let messages): texts = [try generator.text(of: messages)]
    }
    options.constraint = try form.map { (form) throws(VDSQError) in try form.constraint() }
  }

  /// Whether the client has gone.
  var isCancelled: Bool { cancellation.withLockedValue { $0 } }

  /// Forgets the request, whose client has gone.
  func cancel() { cancellation.withLockedValue { $0 = true } }
}
